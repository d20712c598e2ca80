"""Checkpoints: all that an interrupted training needs to go on with the same bits."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from .. import arguments
from ..arguments import number, short
from ..errors import FileFormatError, ParameterError, TrainingError
from ..hdf5 import folder_for, read_hdf5, write_hdf5
from ..hdf5_reader import table_of

SCHEMA = 1


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often to write checkpoints.

    Whatever the interval, one is written when training is interrupted (Ctrl-C, SIGTERM) and when it is done.

    Parameters
    ----------
    path : str or Path
        An HDF5 file; each checkpoint replaces the one before, once it is complete.
    epochs : int, optional
        Write after every so many epochs.
    seconds : float, optional
        Write when so many have passed, in the middle of an epoch if need be; 30 if `epochs` is not given either.
    """

    path: str | os.PathLike[str]
    epochs: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None:
            number("epochs between checkpoints", self.epochs, least=1)
        if self.seconds is not None:
            number("seconds between checkpoints", self.seconds, above=0.0)
        elif self.epochs is None:
            object.__setattr__(self, "seconds", 30.0)
        folder_for(self.file)

    @property
    def file(self) -> Path:
        """The path, a leading ``~`` expanded."""
        return Path(arguments.path("checkpoint", self.path))

    def due(self, since: float, epoch: int | None = None) -> bool:
        """Whether to write one now.

        Parameters
        ----------
        since : float
            Seconds since the last one.
        epoch : int, optional
            Epochs done; None in the middle of one.

        Returns
        -------
        bool
        """
        timely = self.seconds is not None and since >= self.seconds
        return timely or (epoch is not None and self.epochs is not None and epoch % self.epochs == 0)

    def write(self, config: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        """Replace the file: the `config` of the training, and its `content` so far."""
        attributes = {"kind": "checkpoint", "schema": SCHEMA}
        write_hdf5(self.file, {"config": json.dumps(config), **content}, attributes, compress=False)


def checkpoint(given: Any) -> Checkpoint | None:
    """A Checkpoint from a path, one as it is, or None."""
    if given is None or isinstance(given, Checkpoint):
        return given
    return Checkpoint(arguments.path("checkpoint", given))


def read_checkpoint(path: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a checkpoint of the training that `config` describes.

    Raises
    ------
    TrainingError
        If it is of another training; names what differs.
    FileFormatError
        If the file is damaged or holds something else.
    """
    content, attributes = read_hdf5(path)
    if attributes.get("kind") != "checkpoint" or "config" not in content:
        raise FileFormatError(f"{path} holds {short(attributes.get('kind', 'something'))}, not a checkpoint")
    if attributes.get("schema") != SCHEMA:
        raise FileFormatError(f"{path} has schema {short(attributes.get('schema'))}; this version reads {SCHEMA}")
    found = differences(table_of(content.pop("config"), f"{path}: its configuration"), json.loads(json.dumps(config)))
    if found:
        raise TrainingError(
            f"{path} is a checkpoint of another training: {'; '.join(found[:3])}{' ...' if len(found) > 3 else ''}. "
            "Give the arguments it was made with, delete it, or choose another file"
        )
    return content


def differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Where two configurations differ, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*before, *(key for key in now if key not in before)]
        return [
            text
            for key in keys
            for text in differences(before.get(key), now.get(key), f"{name}.{key}" if name else str(key))
        ]
    same = before == now or (before != before and now != now)
    return [] if same else [f"{name} was {arguments.short(before)} and is {arguments.short(now)}"]


def start_over(path: Path) -> None:
    """See that no unfinished training is lost by starting anew.

    Raises
    ------
    ParameterError
        If there is a checkpoint of one.
    """
    if not path.exists():
        return
    content, attributes = read_hdf5(path)
    if attributes.get("kind") != "checkpoint":
        raise ParameterError(f"{path} exists and is no checkpoint; choose another file")
    try:
        finished, epoch = bool(content["position"]["finished"]), int(content["position"]["epoch"])
    except (LookupError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} is no whole checkpoint ({short(error, 300)}); delete it") from error
    if not finished:
        raise ParameterError(
            f"{path} is a checkpoint of a training that is not finished (epoch {epoch}); "
            "resume=True continues it, delete it to start over"
        )


class Interruption:
    """Lets Ctrl-C and SIGTERM wait until a batch is done, so that a checkpoint can be written; a second one does not.

    Only the main thread can do this; elsewhere, and where nothing is to be written, signals are as they were.
    """

    def __init__(self, wanted: bool) -> None:
        self.signal: int | None = None
        self._wanted = wanted and threading.current_thread() is threading.main_thread()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if self._wanted:
            for number_ in (signal.SIGINT, signal.SIGTERM):
                self._before[number_] = signal.signal(number_, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._back()

    def _note(self, number_: int, frame: FrameType | None) -> None:
        self.signal = number_
        self._back()

    def _back(self) -> None:
        for number_, handler in self._before.items():
            signal.signal(number_, handler)
        self._before = {}

    def go_on(self) -> None:
        """Let the signal do what it would have done: KeyboardInterrupt, or the end of the process."""
        if self.signal is not None:
            signal.raise_signal(self.signal)
