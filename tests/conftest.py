"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

# before anything imports pyplot: no test needs a display; what a test starts inherits it
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def morphology_data() -> Path:
    """Folder ``morphologies`` below ``DENDROSIM_DATA``: reconstructions that are not part of the project."""
    root = os.environ.get("DENDROSIM_DATA")
    if not root:
        pytest.skip("DENDROSIM_DATA is not set: it names the folder that holds morphologies/")
    folder = Path(root) / "morphologies"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist: DENDROSIM_DATA must name a folder that holds morphologies/")
    return folder


class Site:
    """A local server that answers as it is told, and remembers what it was asked.

    ``answers`` maps paths to what is sent: bytes; a status with headers and bytes; a function of the request's handler;
    or a list of these, one for each request and the last one for all that follow.
    """

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.lock = threading.Lock()

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        path = unquote(parts.path)
        with self.lock:
            self.asked.append((path, parse_qs(parts.query), {k.lower(): v for k, v in handler.headers.items()}))
            found = self.answers.get(path, (404, {}, b"not here"))
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
        if callable(found):
            found(handler)
            return
        status, headers, body = found if isinstance(found, tuple) else (200, {}, found)
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Starts local servers; with a context of `ssl`, over TLS."""
    stops: list[Callable[[], None]] = []

    def start(context: Any = None) -> Site:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:  # clients that go away are what some tests are about
                pass

        server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        site = Site(server, "http" if context is None else "https")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        stops.append(stop)
        return site

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def site(serve: Callable[..., Site], own_cache: list[float]) -> Site:
    """A local server over plain HTTP."""
    return serve()


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """A cache of the test's own, no proxies, and no waiting: seconds that would have been waited are listed."""
    from dendrosim.downloads import pace

    waited: list[float] = []
    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DENDROSIM_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setattr(pace, "PACE", pace.Pace(sleep=waited.append))
    return waited
