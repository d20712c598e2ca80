"""What is fetched, and what is refused, from local servers that behave and that do not."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from dendrosim import downloads
from dendrosim.downloads import http
from dendrosim.downloads.http import check_url, user_agent
from dendrosim.downloads.pace import Manners
from dendrosim.errors import DataError, DownloadError, ParameterError

BODY = b"some bytes\n" * 1000


def fetch(site, path="/file", *, largest=10**6, **manners):
    return downloads.read(site.url + path, largest=largest, manners=Manners(**manners))


def test_what_is_there_comes_with_its_kind(site):
    site.answers["/file"] = (200, {"Content-Type": "Text/Plain; charset=utf-8"}, BODY)
    assert fetch(site) == (BODY, "text/plain")


def test_servers_are_told_who_asks_and_nothing_else(site, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    site.answers["/file"] = BODY
    downloads.read(site.url + "/file", largest=10**6, params={"q": "a b", "fq": ["c", "d"]})
    ((_, query, headers),) = site.asked
    assert query == {"q": ["a b"], "fq": ["c", "d"]}
    assert headers["user-agent"] == user_agent()
    assert user_agent().startswith("dendrosim/0.")
    assert headers["accept-encoding"] == "identity"
    assert "authorization" not in headers


@pytest.mark.parametrize(
    "url",
    [
        "http://neuromorpho.org/file",
        "ftp://neuromorpho.org/file",
        "file:///etc/passwd",
        "//neuromorpho.org/file",
        "neuromorpho.org",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "http://10.0.0.1/",
        "http://[::2]/",
        "https://me:secret@neuromorpho.org/",
        "https://neuromorpho.org:port/",
        "https://[neuromorpho/",
        "",
    ],
)
def test_only_https_is_fetched(url, own_cache):
    with pytest.raises(DownloadError, match=r"https") as caught:
        downloads.read(url, largest=10)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "url", ["https://neuromorpho.org/x", "http://127.0.0.1:8/", "http://localhost/", "http://[::1]/"]
)
def test_https_and_this_machine_are_fine(url):
    assert check_url(url) == url


@pytest.mark.parametrize(
    "target", ["http://example.org/file", "ftp://example.org/file", "file:///etc/passwd", "data:text/plain,hello"]
)
def test_redirects_away_from_tls_are_refused(site, target):
    site.answers["/file"] = (302, {"Location": target}, b"")
    with pytest.raises(DownloadError, match=r"redirects to where nothing is fetched from"):
        fetch(site)
    assert site.paths == ["/file"]


def test_redirects_in_letters_of_all_alphabets(site):
    site.answers["/file"] = (302, {"Location": "/größe".encode().decode("latin-1")}, b"")
    site.answers["/größe"] = BODY
    assert fetch(site).content == BODY


@pytest.mark.parametrize("target", ["http://[::1", "//[", "https://a\u2100b/"])
def test_redirects_to_what_is_no_address_are_one_error(site, target):
    site.answers["/file"] = (302, {"Location": target.encode().decode("latin-1")}, b"")
    with pytest.raises(DownloadError, match=r"redirects to where nothing is fetched from") as caught:
        fetch(site)
    assert len(str(caught.value)) < 1000
    assert site.paths == ["/file"]


def test_what_comes_with_a_redirect_is_not_read(site):
    sent = []

    def endless(handler):
        handler.send_response(302)
        handler.send_header("Location", "/other")
        handler.end_headers()
        for _ in range(1000):  # 64 MB; buffers of the system hold a few
            sent.append(handler.wfile.write(bytes(2**16)))

    site.answers["/file"], site.answers["/other"] = endless, BODY
    assert fetch(site).content == BODY
    assert sum(sent) < 2**25


def test_what_a_server_says_of_itself_cannot_steer_a_terminal(site):
    site.answers["/file"] = (302, {"Location": "/\x1b]0;owned\x07" + "x" * 3000}, b"")

    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 404 \x1b[2Jgone\r\n\r\n")

    site.answers["/\x1b]0;owned\x07" + "x" * 3000] = answer
    with pytest.raises(DownloadError, match=r"answers 404 .*gone") as caught:
        fetch(site)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_other_redirects_are_followed(site, status):
    site.answers["/file"] = (status, {"Location": "sub/other"}, b"")
    site.answers["/sub/other"] = BODY
    assert fetch(site).content == BODY


def test_redirects_in_a_ring_end(site):
    site.answers["/file"] = (302, {"Location": "/file"}, b"")
    with pytest.raises(DownloadError, match=r"redirects more than 5 times"):
        fetch(site)
    assert len(site.asked) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 418, 500, 204, 206, 304])
def test_answers_that_asking_again_would_not_change(site, status):
    site.answers["/file"] = (status, {}, b"")
    with pytest.raises(DownloadError, match=rf"the server answers {status}") as caught:
        fetch(site)
    assert caught.value.status == status
    assert isinstance(caught.value, DataError)
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_busy_server_is_asked_again_ever_later(site, own_cache, status):
    site.answers["/file"] = [(status, {}, b""), (status, {}, b""), BODY]
    assert fetch(site).content == BODY
    assert own_cache == [1.0, 2.0]


def test_attempts_end(site, own_cache):
    site.answers["/file"] = (503, {}, b"")
    with pytest.raises(DownloadError, match=r"answers 503.*try again later") as caught:
        fetch(site, attempts=2)
    assert (caught.value.status, len(site.asked), own_cache) == (503, 2, [1.0])


def test_a_server_is_given_the_time_that_it_asks_for(site, own_cache):
    late = formatdate(time.time() + 31, usegmt=True)
    site.answers["/file"] = [(429, {"Retry-After": "17"}, b""), (503, {"Retry-After": late}, b""), BODY]
    assert fetch(site).content == BODY
    assert own_cache[0] == 17
    assert 25 < own_cache[1] <= 31


@pytest.mark.parametrize(
    "wait", ["86400", "9" * 40, pytest.param(formatdate(time.time() + 10**6, usegmt=True), id="date")]
)
def test_a_server_that_asks_for_too_much_time_is_left_alone(site, own_cache, wait):
    site.answers["/file"] = (429, {"Retry-After": wait}, b"")
    with pytest.raises(DownloadError, match=r"it asks to wait \d+ s"):
        fetch(site)
    assert (len(site.asked), own_cache) == (1, [])


def test_blanks_around_a_wait_do_no_harm(site, own_cache):
    site.answers["/file"] = [(503, {"Retry-After": "\u00a0" * 12 + "5"}, b""), BODY]  # one byte each in a header
    assert fetch(site).content == BODY
    assert own_cache == [5.0]


@pytest.mark.parametrize("wait", ["soon", "-5", "1e9", "Mon, 99 Jan 2000 99:99:99 GMT", "٣", "\u00a0" * 12])
def test_a_wait_that_makes_no_sense_is_none(site, own_cache, wait):
    site.answers["/file"] = [(503, {"Retry-After": wait.encode().decode("latin-1")}, b""), BODY]
    assert fetch(site).content == BODY
    assert own_cache == [1.0]


def test_nobody_answers(own_cache):
    with socket.socket() as taken:  # bound and not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match=r"refused.*nothing was kept.*connection to the internet") as caught:
            downloads.read(url, largest=10)
    assert caught.value.status is None
    assert len(own_cache) == 2


def test_a_name_that_does_not_exist(own_cache, monkeypatch):
    def nobody(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", nobody)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DownloadError, match=r"Name or service not known.*HTTPS_PROXY"):
        downloads.read("https://neuromorpho.invalid/file", largest=10)


def test_a_server_that_falls_silent(site):
    def silent(handler):
        time.sleep(0.4)

    site.answers["/file"] = [silent, BODY]
    assert fetch(site, silence=0.1).content == BODY
    site.answers["/file"] = silent
    with pytest.raises(DownloadError, match=r"timed out"):
        fetch(site, silence=0.05, attempts=1)


def test_a_server_that_sends_next_to_nothing_is_given_up(site, monkeypatch):
    monkeypatch.setattr(http, "_MOMENT", 0.05)

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b".")
            handler.wfile.flush()
            time.sleep(0.01)

    site.answers["/file"] = drip
    with pytest.raises(DownloadError, match=r"sends \d+ bytes a second"):
        fetch(site)


def test_too_much_is_refused_before_it_comes(site):
    site.answers["/file"] = (200, {"Content-Length": str(10**12)}, b"")
    with pytest.raises(DownloadError, match=r"sends more than 1,000 bytes"):
        fetch(site, largest=1000)
    assert len(site.asked) == 1


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10**6):
        handler.wfile.write(bytes(2**16))


def test_what_never_ends_is_cut_at_the_limit(site, tmp_path):
    site.answers["/file"] = endless
    with pytest.raises(DownloadError, match=r"sends more than 1,000,000 bytes"):
        fetch(site)
    with pytest.raises(DownloadError, match=r"sends more than 1,000,000 bytes"):
        downloads.save(site.url + "/file", tmp_path / "sub" / "file", largest=10**6)
    assert list((tmp_path / "sub").iterdir()) == []


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(BODY)))
    handler.end_headers()
    handler.wfile.write(BODY[:5000])


def test_what_breaks_off_is_asked_for_again(site, own_cache):
    site.answers["/file"] = [cut, BODY]
    assert fetch(site).content == BODY
    site.answers["/file"] = cut
    with pytest.raises(DownloadError, match=r"(cut short|IncompleteRead|more expected).*nothing was kept"):
        fetch(site)
    assert own_cache == [1.0, 1.0, 2.0]


def test_chunks_come_together_and_a_missing_end_is_noticed(site):
    def chunked(*, whole):
        def answer(handler):
            handler.protocol_version = "HTTP/1.1"
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for start in range(0, len(BODY), 3000):
                part = BODY[start : start + 3000]
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.write(b"0\r\n\r\n" if whole else b"")
            handler.close_connection = True

        return answer

    site.answers["/file"] = chunked(whole=True)
    assert fetch(site).content == BODY
    site.answers["/file"] = chunked(whole=False)
    with pytest.raises(DownloadError, match=r"nothing was kept"):
        fetch(site)


def test_what_comes_compressed_is_not_unpacked(site):
    import gzip

    bomb = gzip.compress(bytes(10**7))
    site.answers["/file"] = (200, {"Content-Encoding": "gzip"}, bomb)
    assert fetch(site, largest=20_000).content == bomb


def test_no_http_at_all(site):
    site.answers["/file"] = lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")
    with pytest.raises(DownloadError, match=r"cannot be fetched"):
        fetch(site)


# ---- files


def test_a_file_is_saved_with_its_sum(site, tmp_path):
    site.answers["/file"] = BODY
    path = tmp_path / "new" / "folder" / "file"
    found = downloads.save(site.url + "/file", path, largest=10**6)
    assert found == hashlib.sha256(BODY).hexdigest() == downloads.sha256_of(path)
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_another_sum_leaves_what_was_there(site, tmp_path):
    site.answers["/file"] = BODY
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(DownloadError, match=rf"SHA-256 {hashlib.sha256(BODY).hexdigest()}, where {'0' * 64}") as caught:
        downloads.save(site.url + "/file", path, largest=10**6, sha256="0" * 64)
    assert caught.value.sha256 == hashlib.sha256(BODY).hexdigest()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir() if p.is_file()] == [("file", b"before")]
    assert len(site.asked) == 1


def test_a_file_is_looked_at_before_it_takes_its_place(site, tmp_path):
    site.answers["/file"] = BODY

    def check(path):
        assert path.read_bytes() == BODY
        assert not (tmp_path / "sub" / "file").exists()
        raise DataError("no")

    with pytest.raises(DataError, match="no"):
        downloads.save(site.url + "/file", tmp_path / "sub" / "file", largest=10**6, check=check)
    assert list((tmp_path / "sub").iterdir()) == []


def test_a_disk_that_cannot_be_written_is_no_failure_of_the_network(site, tmp_path):
    site.answers["/file"] = BODY
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        downloads.save(site.url + "/file", tmp_path / "file" / "x", largest=10**6)
    assert site.asked == []


def test_a_home_that_does_not_exist_is_a_folder_of_that_name(monkeypatch):
    monkeypatch.setenv("DENDROSIM_CACHE", "~nobody-of-this-name/x")
    assert downloads.cache_folder() == Path("~nobody-of-this-name/x")
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("DENDROSIM_CACHE", "~/x")
    assert downloads.cache_folder() == Path("/somewhere/x")


def test_half_a_file_of_somebody_else_is_no_obstacle(site, tmp_path, monkeypatch):
    half = tmp_path / ".file.elsewhere-1.abcdefgh"
    half.write_bytes(b"half")
    os.utime(half, (0, 0))

    def refused(path, missing_ok=False):
        raise PermissionError(13, "Permission denied", str(path))

    site.answers["/file"] = BODY
    monkeypatch.setattr(Path, "unlink", refused)
    downloads.save(site.url + "/file", tmp_path / "file", largest=10**6)
    assert (tmp_path / "file").read_bytes() == BODY


def test_folders_of_ones_own_go(tmp_path):
    import os

    old = tmp_path / ".incoming-old"
    old.mkdir()
    (old / "part").touch()
    os.utime(old, (0, 0))
    with downloads.incoming(tmp_path) as folder, downloads.incoming(tmp_path) as other:
        (folder / "x").touch()
        assert folder != other
        assert {p.name for p in tmp_path.iterdir()} == {folder.name, other.name}
    assert list(tmp_path.iterdir()) == []


# ---- settings


@pytest.mark.parametrize(
    ("value", "forbidden"), [("1", True), ("yes", True), ("True", True), ("0", False), ("", False)]
)
def test_offline(site, monkeypatch, value, forbidden):
    monkeypatch.setenv("DENDROSIM_OFFLINE", value)
    site.answers["/file"] = BODY
    assert downloads.offline() is forbidden
    if forbidden:
        with pytest.raises(DownloadError, match="DENDROSIM_OFFLINE forbids downloads"):
            fetch(site)
        assert site.asked == []
    else:
        assert fetch(site).content == BODY


def test_offline_is_yes_or_no(monkeypatch):
    monkeypatch.setenv("DENDROSIM_OFFLINE", "maybe")
    with pytest.raises(ParameterError, match=r"DENDROSIM_OFFLINE='maybe' is neither"):
        downloads.offline()


@pytest.mark.parametrize("value", [None, 3, "", "abc", "g" * 64, "0" * 63, "0" * 65, b"0" * 64])
def test_sums_have_64_digits(value):
    with pytest.raises(ParameterError, match=r"sha256=.* is no SHA-256"):
        downloads.check_sha256("sha256", value)


def test_sums_are_told_as_one_form():
    assert downloads.check_sha256("sha256", f"sha256:{'AB' * 32}") == "ab" * 32
