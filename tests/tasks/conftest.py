"""Small data sets in the official formats, a server that offers them, and the true ones where they are to be had."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from dendrosim.downloads import pace

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the IDX format, as its description has it."""
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + b"".join(struct.pack(">I", n) for n in array.shape)
    return header + array.astype(np.uint8).tobytes()


def write_images(folder: Path, n_train: int, n_test: int) -> dict[str, np.ndarray]:
    """Random images and labels as the four files of MNIST; returns what they hold."""
    rng = np.random.default_rng(0)
    arrays = {}
    for names, n in ((NAMES[:2], n_train), (NAMES[2:], n_test)):
        arrays[names[0]] = rng.integers(0, 256, (n, 28, 28))
        arrays[names[1]] = rng.permutation(np.arange(n) % 10)
    for name, array in arrays.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array), compresslevel=1))
    return arrays


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test downloads into the user's cache, asks a proxy for the local server, or waits before it tries again."""
    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pace, "PACE", pace.Pace(sleep=lambda seconds: None))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """A folder with 400 + 100 random images, and what its files hold."""
    folder = tmp_path_factory.mktemp("images")
    return folder, write_images(folder, 400, 100)


@pytest.fixture
def small_mnist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: tuple[Path, dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """400 + 100 random images where MNIST and Fashion-MNIST are looked for."""
    folder, arrays = written
    for name in ("mnist", "fashion-mnist"):
        shutil.copytree(folder, tmp_path / "data" / name)
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path / "data"))
    return arrays


@pytest.fixture
def true_data() -> Callable[[str], None]:
    """Skips unless a folder with the official files is below ``DENDROSIM_DATA``."""

    def need(folder: str) -> None:
        root = os.environ.get("DENDROSIM_DATA")
        if not root:
            pytest.skip(f"DENDROSIM_DATA is not set: it names the folder that holds {folder}/")
        if not (Path(root) / folder).is_dir():
            pytest.skip(f"{Path(root) / folder} does not exist")

    return need


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder; names that begin with ``cut-`` break off in the middle of the file."""

    def do_GET(self) -> None:
        path = Path(self.directory) / self.path.lstrip("/")
        if "/cut-" not in self.path or not path.is_file():
            return super().do_GET()
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True
        return None

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """URL of a local server, and the folder whose files it offers."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}", folder
        http.shutdown()
        thread.join()
