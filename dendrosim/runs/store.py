"""The store: one file per run, named by its identity, in a folder that any number of processes may write into."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import arguments
from ..errors import FileFormatError, ParameterError
from ..hdf5 import folder_for, leftover, replacing
from ..hdf5_reader import table_of
from ..shown import Shown
from ..training.run import Run
from .collection import Filed, Runs
from .index import indexed

if TYPE_CHECKING:
    from .experiment import Arm
    from .sweep import Sweep

SCHEMA = 1
KIND = "dendrosim store"
_TOP = "store.json"
_IDENTITY = re.compile(r"[0-9a-f]{32}")
_RUN = re.compile(r"([0-9a-f]{32})\.h5")
_CHECKPOINT = re.compile(r"([0-9a-f]{32})\.checkpoint\.h5")
_FAILED = re.compile(r"([0-9a-f]{32})\.json")


@dataclass(frozen=True)
class Failure:
    """A run that ended with an error.

    Attributes
    ----------
    identity : str
        32 hexadecimal digits.
    arm : str
        Of its experiment.
    seed : int
    error : str
        What went wrong, in a line.
    traceback : str
        Where.
    attempts : int
        How often it was tried.
    when : str
        The last time, as in ``2026-11-21T16:00:00Z``.
    host : str
        The machine on which it happened.
    """

    identity: str
    arm: str
    seed: int
    error: str
    traceback: str
    attempts: int
    when: str
    host: str


class Store(Shown):
    """Runs, checkpoints and failures in one folder, by the identity of each run.

    What it holds is what is in the folder: nothing has to be kept in step with anything else. Every file is written
    beside its place and moved there once it is whole, so that a file with the name of a run is a whole run, whatever
    was killed in the meantime; two processes that finish the same run replace one whole file by another.

    Parameters
    ----------
    folder : str or Path
        Made where it does not exist, or is empty; to open a store that is there writes nothing.

    Attributes
    ----------
    folder : Path

    Raises
    ------
    ParameterError
        If the folder holds something else than a store.
    FileFormatError
        If it is a store of another schema.
    OSError
        If it cannot be read, or made.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(arguments.path("store", folder))
        # listed before the mark is looked for: others may make the store at this moment, and they begin with the mark
        there = self.folder.is_dir() and any(not name.startswith(".") for name in os.listdir(self.folder))
        if self.there(self.folder):
            _understood(self.folder / _TOP)
        elif there:
            raise ParameterError(
                f"{self.folder} is not empty and is no store of runs (it has no {_TOP}); choose another folder"
            )
        else:
            _write_json(self.folder / _TOP, {"kind": KIND, "schema": SCHEMA})

    @staticmethod
    def there(folder: str | os.PathLike[str]) -> bool:
        """Whether `folder` says that it is a store."""
        return (Path(folder) / _TOP).is_file()

    def path(self, identity: str) -> Path:
        """The file of a run, ``runs/ab/IDENTITY.h5``, whether it exists or not.

        Raises
        ------
        ParameterError
            If `identity` is not 32 hexadecimal digits.
        """
        if not isinstance(identity, str) or not _IDENTITY.fullmatch(identity):
            raise ParameterError(f"identity={arguments.short(identity)} must be 32 hexadecimal digits, 0-9 and a-f")
        return self.folder / "runs" / identity[:2] / f"{identity}.h5"

    def checkpoint(self, identity: str) -> Path:
        """The checkpoint of the run `identity`, beside its file while it is trained."""
        return self.path(identity).with_suffix(".checkpoint.h5")

    def finished(self) -> set[str]:
        """Identities of all runs that are there: names are listed, no file is opened."""
        return {identity for identity, _ in self._files()}

    def save(self, run: Run, identity: str) -> Path:
        """Write a run, and forget its checkpoint and what failed before.

        Parameters
        ----------
        run : Run
            Gets its identity in ``config["experiment"]``.
        identity : str

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        OSError
            If it cannot be written; what was there before is still there.
        """
        path = self.path(identity)
        run.config.setdefault("experiment", {})["identity"] = identity
        run.save(path)
        self.checkpoint(identity).unlink(missing_ok=True)
        self.forget_failure(identity)
        return path

    def runs(self, sweep: Sweep | None = None) -> Runs:
        """Its runs, by arm and seed; their rows come from the index, and a run is read when it is asked for.

        Parameters
        ----------
        sweep : Sweep, optional
            Only those of its runs that are finished, under the names that its arms have: one store may serve several
            sweeps, which may call the same run by different names.

        Returns
        -------
        Runs

        Raises
        ------
        FileFormatError
            If a file that the index does not know is damaged; names it.

        Warns
        -----
        StoreWarning
            If the index is damaged, and made again; or if it cannot be written.
        """
        return Runs(self.members(sweep))

    def members(self, sweep: Sweep | None = None) -> list[Filed]:
        """What `runs` consists of, all or those of a `sweep`."""
        rows = indexed(self.folder / "index.h5", dict(self._sizes()), self.path)
        labels: dict[str, dict[str, Any]] = {}
        if sweep is not None:
            labels = {point.identity: _labels(sweep.name, point.arm) for point in sweep}
            rows = {
                identity: rows[identity]._replace(**{name: value for name, value in own.items() if name != "name"})
                for identity, own in labels.items()
                if identity in rows
            }
        ordered = sorted(rows.items(), key=lambda item: (item[1].number, item[1].seed, item[0]))
        return [Filed(self.path(identity), row, labels.get(identity)) for identity, row in ordered]

    def failed(self) -> set[str]:
        """Identities of all runs whose failure is recorded: names are listed, no file is opened."""
        return {match[1] for _, match in _listed([self.folder / "failed"], _FAILED)}

    def failures(self) -> dict[str, Failure]:
        """Recorded failures, by identity.

        Raises
        ------
        FileFormatError
            If a record cannot be read; names it.
        """
        found = [Path(entry.path) for entry, _ in _listed([self.folder / "failed"], _FAILED)]
        read = (_failure(path) for path in sorted(found))
        return {one.identity: one for one in read if one is not None}

    def record_failure(self, failure: Failure) -> None:
        """Write down a `failure`, in the place of an earlier one of the same run."""
        _write_json(self._failed(failure.identity), asdict(failure))

    def forget_failure(self, identity: str) -> None:
        """Remove the record of a failure of the run `identity`, if there is one."""
        self._failed(identity).unlink(missing_ok=True)

    def tidy(self) -> list[Path]:
        """Remove what killed processes left: halves of files, and checkpoints of runs that are finished.

        Halves that a living process of this machine may still be writing stay, and so do those of other machines, until
        they are a day old. Nothing that is removed was ever taken for a run.

        Returns
        -------
        list of Path
            What was removed.
        """
        removed = []
        folders = [*self._shards(), self.folder / "failed", self.folder]
        for entry, _ in _listed(folders, re.compile(r"\..*")):
            if leftover(Path(entry.path)):
                removed.append(Path(entry.path))
        for entry, match in _listed(self._shards(), _CHECKPOINT):
            if self.path(match[1]).exists():
                removed.append(Path(entry.path))
        for path in removed:
            path.unlink(missing_ok=True)
        return removed

    def check(self) -> dict[str, str]:
        """Read every file of a run, whole, and see that it is the run that its name says.

        Takes as long as reading the whole store; a disk that loses bits is found in no other way.

        Returns
        -------
        dict of str
            What is wrong, by identity; empty if nothing is.
        """
        wrong = {}
        for identity in sorted(self.finished()):
            try:
                inside = Run.load(self.path(identity)).config.get("experiment", {}).get("identity")
            except (FileFormatError, OSError) as error:
                wrong[identity] = str(error)
                continue
            if inside != identity:
                wrong[identity] = f"{self.path(identity)} says that it is run {inside}; restore it, or delete it"
        return wrong

    def _failed(self, identity: str) -> Path:
        return self.folder / "failed" / f"{self.path(identity).stem}.json"

    def _files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        for shard in self._shards():
            for entry, match in _listed([shard], _RUN):
                if match[1][:2] == shard.name:
                    yield match[1], entry

    def _sizes(self) -> Iterator[tuple[str, os.stat_result]]:
        for identity, entry in self._files():
            try:
                yield identity, entry.stat()
            except FileNotFoundError:  # deleted since it was listed
                continue

    def _shards(self) -> list[Path]:
        return [Path(entry.path) for entry, _ in _listed([self.folder / "runs"], re.compile("[0-9a-f]{2}"))]

    def __repr__(self) -> str:
        return f"<Store: {self.folder}>"


def _listed(folders: list[Path], names: re.Pattern[str]) -> Iterator[tuple[os.DirEntry[str], re.Match[str]]]:
    """Entries of folders that exist, with names like these."""
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    match = names.fullmatch(entry.name)
                    if match:
                        yield entry, match
        except FileNotFoundError:
            continue


def _labels(name: str, arm: Arm) -> dict[str, Any]:
    """What a run is called in a sweep."""
    factors, ways = dict(arm.factors), dict(arm.ways)
    return {"name": name, "arm": arm.name, "number": arm.number, "own": arm.own, "factors": factors, "ways": ways}


def _understood(path: Path) -> None:
    """See that the mark of a store is one that this version understands."""
    try:
        mark = table_of(path.read_text(encoding="utf-8"), str(path))
        kind, schema = mark["kind"], mark["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise FileFormatError(
            f"{path} cannot be read ({arguments.short(error, 300)}); restore it from another store"
        ) from error
    if kind != KIND:
        raise ParameterError(f"{path} is of {arguments.short(kind)}, not of a store of runs; choose another folder")
    if schema != SCHEMA:
        raise FileFormatError(
            f"{path.parent} is a store of schema {arguments.short(schema)}, this version of dendrosim reads {SCHEMA}; "
            "use the version that made it, or choose another folder"
        )


def _failure(path: Path) -> Failure | None:
    """A record; None if it was forgotten since it was listed."""
    try:
        return Failure(**table_of(path.read_text(encoding="utf-8"), str(path)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:  # FileFormatError is a ValueError
        names = ", ".join(field.name for field in fields(Failure))
        raise FileFormatError(
            f"{path} is no record of a failure ({names}): {arguments.short(str(error), 300)}; delete it"
        ) from error


def _write_json(path: Path, content: dict[str, object]) -> None:
    folder_for(path)
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
