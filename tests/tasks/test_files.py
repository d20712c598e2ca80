"""Where files are looked for, and downloads from a local server: good ones, broken ones, none."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import socket
import tarfile
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import DataError
from dendrosim.tasks import cifar, files
from dendrosim.tasks.cifar import CIFAR10, CIFAR100
from dendrosim.tasks.files import Collection, listed, obtain
from dendrosim.tasks.images import FASHION_MNIST, MNIST, read_images

FILES = {"a.bin": b"first file" * 500, "b.bin": b"second file" * 700}


def sums(contents: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


PAIR = Collection("a pair of files", "pair", tuple(FILES), "https://example.org/data", sums(FILES))


@pytest.fixture(autouse=True)
def no_data_of_ones_own(monkeypatch):
    monkeypatch.delenv("DENDROSIM_DATA", raising=False)


def left_in_cache() -> list[Path]:
    cache = Path(os.environ["DENDROSIM_CACHE"])
    return [path for path in cache.rglob("*") if path.is_file()]


def fill(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def test_what_is_downloaded_comes_from_https_and_has_a_sum():
    for collection in (MNIST, FASHION_MNIST, CIFAR10):
        assert collection.url.startswith("https://")
        assert all(len(digest) == 64 for digest in collection.sums.values())


def test_ones_own_folder_comes_first_and_needs_no_sums(monkeypatch, tmp_path):
    (tmp_path / "pair").mkdir()
    fill(tmp_path / "pair", dict.fromkeys(FILES, b"other content"))
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path))
    assert obtain(PAIR) == tmp_path / "pair"
    assert left_in_cache() == []


def test_ones_own_folder_must_be_complete(monkeypatch, tmp_path):
    (tmp_path / "pair").mkdir()
    fill(tmp_path / "pair", {"a.bin": b""})
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"pair lacks b\.bin of a pair of files; complete it"):
        obtain(PAIR)


def test_a_folder_that_does_not_exist_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"DENDROSIM_DATA='.*nowhere' is no folder"):
        obtain(PAIR)


def test_downloads_are_kept_and_not_repeated(server, monkeypatch, tmp_path):
    url, folder = server
    fill(folder, FILES)
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path))  # holds other data only
    found = obtain(PAIR, url)
    assert found == Path(os.environ["DENDROSIM_CACHE"]) / "pair"
    assert {path.name: path.read_bytes() for path in found.iterdir()} == FILES
    fill(folder, dict.fromkeys(FILES, b"changed since"))
    assert obtain(PAIR, url) == found
    assert {path.name: path.read_bytes() for path in found.iterdir()} == FILES


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(server):
    url, folder = server
    fill(folder, FILES)
    found = obtain(PAIR, url)
    (found / "a.bin").write_bytes(b"bit rot")
    assert (obtain(PAIR, url) / "a.bin").read_bytes() == FILES["a.bin"]


def test_the_wrong_content_is_not_kept(server):
    url, folder = server
    fill(folder, FILES | {"b.bin": b"a login page"})
    with pytest.raises(DataError) as caught:
        obtain(PAIR, url)
    for words in ("a pair of files", f"{url}/b.bin", "is not the official file", "nothing was kept", "DENDROSIM_DATA"):
        assert words in str(caught.value)
    assert [path.name for path in left_in_cache()] == ["a.bin"]


def test_a_download_that_breaks_off_is_not_kept(server):
    url, folder = server
    contents = {"cut-a.bin": FILES["a.bin"]}
    fill(folder, contents)
    with pytest.raises(DataError) as caught:
        obtain(Collection("a broken file", "broken", tuple(contents), "https://example.org", sums(contents)), url)
    assert f"{url}/cut-a.bin" in str(caught.value)
    assert "nothing was kept" in str(caught.value)
    assert left_in_cache() == []


def test_a_file_that_the_server_does_not_have(server):
    with pytest.raises(DataError, match=r"cannot be downloaded to .*404.*nothing was kept"):
        obtain(PAIR, server[0])
    assert left_in_cache() == []


def test_offline():
    with socket.socket() as taken:  # bound and not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DataError) as caught:
            obtain(PAIR, url)
    for words in ("cannot be downloaded", "internet", "put a.bin and b.bin into pair/", "DENDROSIM_DATA"):
        assert words in str(caught.value)
    assert left_in_cache() == []


def test_a_cache_that_cannot_be_written_is_named(server, monkeypatch, tmp_path):
    url, folder = server
    fill(folder, FILES)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be downloaded to .*file/pair"):
        obtain(PAIR, url)


def test_without_a_cache_of_ones_own_the_system_has_one(monkeypatch):
    import pooch

    monkeypatch.delenv("DENDROSIM_CACHE")
    assert files.cache_folder() == Path(pooch.os_cache("dendrosim"))


def test_phrases():
    assert listed(("a",)) == "a"
    assert listed(("a", "b", "c")) == "a, b and c"


def test_mnist_from_a_server(server, small_mnist, monkeypatch):
    # the small files of the fixture, as if they were official
    own = Path(os.environ.get("DENDROSIM_DATA", "")) / "mnist"
    url, folder = server
    fill(folder, {path.name: path.read_bytes() for path in own.iterdir()})
    monkeypatch.delenv("DENDROSIM_DATA")
    official = dataclasses.replace(MNIST, sums=sums({name: (own / name).read_bytes() for name in MNIST.files}))
    x_train, y_train, _, _ = read_images(official, url)
    np.testing.assert_allclose(x_train, small_mnist["train-images-idx3-ubyte"].reshape(400, 784) / 255, rtol=1e-7)
    np.testing.assert_array_equal(y_train, small_mnist["train-labels-idx1-ubyte"])


# ---- CIFAR-10 comes as an archive


def archive(names: tuple[str, ...], size: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for i, name in enumerate(names):
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = size
            tar.addfile(info, io.BytesIO(bytes([i] * size)))
    return stream.getvalue()


@pytest.fixture
def small_archive(server, monkeypatch):
    """Serves an archive of six files of two images each, as if it were official."""
    url, folder = server

    def serve(names: tuple[str, ...] = CIFAR10.files) -> str:
        content = {"cifar-10-binary.tar.gz": archive((*names, "readme.html"), 2 * 3073)}
        fill(folder, content)
        monkeypatch.setattr(cifar, "PER_FILE", 2)
        monkeypatch.setattr(cifar, "CIFAR10", dataclasses.replace(CIFAR10, sums=sums(content)))
        return url

    return serve


def test_cifar10_is_unpacked_once(small_archive, server):
    url = small_archive()
    _, y_train, x_test, y_test = cifar.read_cifar10(url)
    assert (y_train.tolist(), y_test.tolist()) == ([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [5, 5])
    np.testing.assert_allclose(x_test, 5 / 255)
    # the archive itself goes once it is unpacked
    assert sorted(path.name for path in left_in_cache()) == sorted(CIFAR10.files)
    (server[1] / "cifar-10-binary.tar.gz").unlink()
    assert cifar.read_cifar10(url)[1].tolist() == y_train.tolist()


def test_cifar100_is_unpacked_once(server, monkeypatch):
    url, folder = server
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, count in (("fine_label_names.txt", 1), ("train.bin", 5), ("test.bin", 1)):
            info = tarfile.TarInfo(f"cifar-100-binary/{name}")
            info.size = count * 3074
            tar.addfile(info, io.BytesIO(bytes([3, 70, *[51] * 3072] * count)))
    content = {"cifar-100-binary.tar.gz": stream.getvalue()}
    fill(folder, content)
    monkeypatch.setattr(cifar, "PER_FILE", 1)
    monkeypatch.setattr(cifar, "CIFAR100", dataclasses.replace(CIFAR100, sums=sums(content)))
    x_train, y_train, _, y_test = cifar.read_cifar100("fine", url)
    assert (y_train.tolist(), y_test.tolist()) == ([70] * 5, [70])
    np.testing.assert_allclose(x_train, 0.2)
    (folder / "cifar-100-binary.tar.gz").unlink()
    assert cifar.read_cifar100("coarse", url)[3].tolist() == [3]


def test_another_process_may_be_faster(small_archive, monkeypatch):
    url = small_archive()
    rename = Path.rename

    def twice(source, target):
        rename(source, target)
        source.mkdir()  # what the slower process has unpacked meanwhile
        (source / "x").touch()
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", twice)
    assert cifar.read_cifar10(url)[3].tolist() == [5, 5]


def test_an_archive_that_lacks_a_file_leaves_no_half_of_it(small_archive):
    url = small_archive(CIFAR10.files[:-1])
    with pytest.raises(DataError, match=r"has no file cifar-10-batches-bin/test_batch\.bin"):
        cifar.read_cifar10(url)
    assert not {path.name for path in left_in_cache()} & set(CIFAR10.files)


def test_unpacking_that_is_interrupted_leaves_no_half_of_it(small_archive, monkeypatch):
    url = small_archive()
    copies = []

    def interrupted(source, target):
        copies.append(target)
        if len(copies) == 3:
            raise KeyboardInterrupt
        target.write(source.read())

    monkeypatch.setattr(files.shutil, "copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cifar.read_cifar10(url)
    assert [path.name for path in left_in_cache()] == ["cifar-10-binary.tar.gz"]
    monkeypatch.undo()


def test_the_official_places_are_asked_for_when_nothing_is_there(monkeypatch):
    asked = []

    def refuse(url, path, *, sha256, **others):
        asked.append((url, sha256))
        raise OSError("no network in tests")

    monkeypatch.setattr(files, "save", refuse)
    for name in (
        "mnist",
        "fashion_mnist",
        "cifar10",
        "cifar100",
        "figure_ground_mnist",
        "noise_subspace_mnist",
        "hierarchical",
    ):
        with pytest.raises(DataError, match="no network in tests"):
            ds.tasks.load(name)
    archives = {"cifar-10-binary.tar.gz", "cifar-100-binary.tar.gz"}
    assert {url.rpartition("/")[2] for url, _ in asked} == {"train-images-idx3-ubyte.gz", *archives}
    assert all(url.startswith("https://") and len(digest) == 64 for url, digest in asked)


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def served(server, content: bytes) -> tuple[Collection, str]:
    """A collection of one file in an archive, and where it lies."""
    url, folder = server
    fill(folder, {"things.tar.gz": content})
    return Collection(
        "things", "things/inside", ("a.bin",), "https://example.org", sums({"things.tar.gz": content})
    ), url


def test_a_link_in_place_of_a_file_is_not_followed(server, tmp_path):
    (tmp_path / "secret").write_text("password")
    link = tarfile.TarInfo("inside/a.bin")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
    with pytest.raises(DataError, match=r"inside/a\.bin is no plain file"):
        obtain(*served(server, tar((link, b""))))
    assert [path.name for path in left_in_cache()] == ["things.tar.gz"]


def test_members_that_were_not_asked_for_are_not_written(server, tmp_path):
    names = ("../../evil", str(tmp_path / "evil"), "inside/a.bin", "inside/../evil", "evil")
    folder = obtain(*served(server, tar(*((tarfile.TarInfo(name), name.encode()) for name in names))))
    assert (folder / "a.bin").read_bytes() == b"inside/a.bin"
    assert [path.name for path in left_in_cache()] == ["a.bin"]
    assert not list(tmp_path.rglob("evil"))


def test_an_archive_that_unpacks_to_too_much_is_given_up(server, monkeypatch):
    monkeypatch.setattr(files, "MOST_UNPACKED", 2**20)
    bomb = tar((tarfile.TarInfo("inside/zeros"), bytes(2**22)), (tarfile.TarInfo("inside/a.bin"), b"late"))
    assert len(bomb) < 2**14
    with pytest.raises(DataError, match=r"unpacks to more than 1,048,576 bytes"):
        obtain(*served(server, bomb))
    assert [path.name for path in left_in_cache()] == ["things.tar.gz"]


@pytest.mark.parametrize(
    "content", [b"no archive", tar((tarfile.TarInfo("inside/a.bin"), bytes(9000)))[:-40]], ids=["text", "cut short"]
)
def test_a_damaged_archive_says_so(server, content):
    with pytest.raises(DataError, match=r"things\.tar\.gz is damaged"):
        obtain(*served(server, content))


def test_a_file_that_is_too_large_is_not_taken(server, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 1000)
    url, folder = server
    fill(folder, FILES)
    with pytest.raises(DataError, match=r"sends more than 1,000 bytes"):
        obtain(PAIR, url)
    assert left_in_cache() == []


def test_nothing_is_asked_for_offline(server, monkeypatch):
    url, folder = server
    fill(folder, FILES)
    monkeypatch.setenv("DENDROSIM_OFFLINE", "1")
    with pytest.raises(DataError, match=r"DENDROSIM_OFFLINE forbids downloads"):
        obtain(PAIR, url)
    monkeypatch.setenv("DENDROSIM_OFFLINE", "0")
    obtain(PAIR, url)
    monkeypatch.setenv("DENDROSIM_OFFLINE", "1")
    assert obtain(PAIR, url).name == "pair"  # what is there needs no server
