"""How a server is asked: not too often, not too long, and not two things at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Manners:
    """How to ask a server.

    Parameters
    ----------
    silence : float, default 30.0
        Seconds without a byte after which an attempt is given up.
    attempts : int, default 3
        How often to ask, where asking again is worth it.
    backoff : float, default 1.0
        Seconds before the second attempt; twice as many before each further one.
    patience : float, default 60.0
        Longest wait, in seconds, that a server may ask for with ``Retry-After``.
    pause : float, default 0.0
        Seconds between two requests to one host.
    """

    silence: float = 30.0
    attempts: int = 3
    backoff: float = 1.0
    patience: float = 60.0
    pause: float = 0.0


class Pace:
    """Requests to a host come one at a time, and not too soon after each other; for all threads of this process.

    Parameters
    ----------
    clock : callable
        Seconds, growing.
    sleep : callable
        Waits so many seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.clock, self.sleep = clock, sleep
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._ended: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, pause: float) -> Iterator[None]:
        """The only request to a host, at least `pause` seconds after the last one ended."""
        with self._lock:
            turn = self._turns.setdefault(host, threading.Lock())
        with turn:
            wait = self._ended.get(host, -float("inf")) + pause - self.clock()
            if wait > 0:
                self.sleep(wait)
            try:
                yield
            finally:
                self._ended[host] = self.clock()


PACE = Pace()
