"""Politeness, by a clock that only moves when it is told to."""

from __future__ import annotations

import threading

import pytest

from dendrosim import downloads
from dendrosim.downloads import pace
from dendrosim.downloads.pace import Manners, Pace


class Clock:
    """Time that passes when somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def test_the_first_request_does_not_wait(clock):
    with Pace(clock, clock.sleep).turn("host", 5.0):
        pass
    assert clock.slept == []


def test_requests_to_a_host_keep_their_distance(clock):
    paced, begun = Pace(clock, clock.sleep), []
    for work in (0.25, 2.0, 0.0, 0.0):
        with paced.turn("host", 0.5):
            begun.append(clock.now)
            clock.now += work
    assert begun == [100.0, 100.75, 103.25, 103.75]
    assert clock.slept == [0.5, 0.5, 0.5]


def test_time_that_passes_otherwise_counts(clock):
    paced = Pace(clock, clock.sleep)
    for passed in (0.25, 3.0, 0.0):
        with paced.turn("host", 0.5):
            pass
        clock.now += passed
    assert clock.slept == [0.25]


def test_other_hosts_do_not_wait(clock):
    paced = Pace(clock, clock.sleep)
    for host in ("a", "b", "c"):
        with paced.turn(host, 10.0):
            pass
    assert clock.slept == []


def test_a_failure_counts_as_a_request(clock):
    paced = Pace(clock, clock.sleep)
    with pytest.raises(RuntimeError), paced.turn("host", 1.0):
        raise RuntimeError
    with paced.turn("host", 1.0):
        pass
    assert clock.slept == [1.0]


def test_threads_take_turns():
    paced, inside, most = Pace(sleep=lambda seconds: None), [], []

    def work():
        for _ in range(50):
            with paced.turn("host", 0.0):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert max(most) == 1
    assert len(most) == 200


def test_redirects_and_attempts_keep_their_distance_too(site, clock, monkeypatch):
    monkeypatch.setattr(pace, "PACE", Pace(clock, clock.sleep))
    site.answers["/a"] = [(503, {}, b""), (302, {"Location": "/b"}, b"")]
    site.answers["/b"] = b"there"
    assert downloads.read(f"{site.url}/a", largest=10, manners=Manners(pause=3.0)).content == b"there"
    assert site.paths == ["/a", "/a", "/b"]
    assert clock.slept == [1.0, 2.0, 3.0]  # what the server is given to recover counts


def test_one_host_is_one_however_it_is_written(site, clock, monkeypatch):
    monkeypatch.setattr(pace, "PACE", Pace(clock, clock.sleep))
    there = site.url.replace("127.0.0.1", "LocalHost")
    site.answers["/a"] = (302, {"Location": f"{there.lower()}/b"}, b"")
    site.answers["/b"] = b"there"
    assert downloads.read(f"{there}/a", largest=10, manners=Manners(pause=3.0)).content == b"there"
    assert clock.slept == [3.0]
