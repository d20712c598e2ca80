"""Runs of an online learner that grow in an HDF5 file, and go on after they were killed.

What happened is in the file (see `biophysics.time.mapped`); all that is needed to go on is in a second one beside it,
its name with ``.state`` added, which is replaced as a whole after each block.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..arguments import path as given_path
from ..biophysics.time.mapped import Shapes, attributes_of, create, fits, maps, small
from ..errors import FileFormatError, ParameterError
from ..hdf5 import read_hdf5, write_hdf5

if TYPE_CHECKING:
    from .session import Session

Array = NDArray[Any]

FORMAT, MADE_BY = "dendrosim online run 1", "OnlineLearner.run"
NAMES = ("output", "loss", "reward", "action", "conductance", "coupling", "conductance_time", "spikes", "progress")
_AXES = {
    "output": 3,
    "loss": 2,
    "reward": 2,
    "action": 2,
    "conductance_time": 1,
    "conductance": 2,
    "coupling": 2,
    "spikes": 2,
}
_SEQUENCE, _STEPS, _TICKS, _SPIKES, _BLOCKS, _SUM = range(6)


class OnlineStore:
    """An open file.

    Parameters
    ----------
    path : Path
    session : Session
        As it begins.
    block : int
        Steps per block.
    fingerprint : str
        Of everything that the run depends on.
    resume : bool
        Go on with the file that is there, if there is one; then `session` is as it was after the last block.

    Raises
    ------
    ParameterError
        If there is a file and `resume` is false, or the file is of another run.
    FileFormatError
        If the file is of another kind, or its state is missing.
    """

    def __init__(self, path: Path, session: Session, block: int, fingerprint: str, resume: bool) -> None:
        self.path, self.session, self.block = path, session, block
        self._state = path.with_name(path.name + ".state")
        self._sequence = self._n_spikes = self._blocks = 0
        if path.exists() and not resume:
            raise ParameterError(f"{path} exists; give another store=, remove it, or go on with it by resume=True")
        if not path.exists():
            self._state.unlink(missing_ok=True)
            self._create(fingerprint)
        elif attributes_of(path, FORMAT, MADE_BY).get("fingerprint") != fingerprint:
            raise ParameterError(
                f"{path} is of another run (other neurons, inputs or options); give another store=, or call the run "
                "with what it was begun with"
            )
        self._maps = maps(path, NAMES)
        if self._state.exists():
            self._restore(fingerprint)
        elif _best(self.path, self._maps["progress"]) is not None:
            raise FileFormatError(f"{self._state} is missing, without which {path} cannot go on; begin another run")
        else:
            self._write(np.empty((0, 3), np.int64))

    def _create(self, fingerprint: str) -> None:
        session = self.session
        (k, b, o), network, running = session.output.shape, session.network, session.running
        rewarded = k if session.asking.rewarded else 0
        blocks = -(-running.n_steps // self.block) + 1
        couplings = network.layout.size if network.learn_couplings else 0
        shapes: Shapes = {
            "output": ((k, b, o), np.float64, "logits, (tick, stimulus, output)"),
            "loss": ((k, b), np.float64, "(tick, stimulus), not weighted"),
            "reward": ((rewarded, b), np.float64, "(tick, stimulus)"),
            "action": ((rewarded, b), np.int64, "(tick, stimulus)"),
            "conductance": ((blocks, network.synapses.size), np.float64, "nS, (end of block, synapse)"),
            "coupling": ((blocks, couplings), np.float64, "nS, (end of block, compartment)"),
            "conductance_time": ((blocks,), np.float64, "ends of blocks, ms; the first is the beginning"),
            "spikes": ((running.engine.most_spikes, 3), np.int64, "step at whose end, compartment, stimulus"),
            "progress": ((2, 6), np.int64, "sequence, steps, ticks, spikes, blocks done, checksum; the greater counts"),
        }
        attributes = {"format": FORMAT, "fingerprint": fingerprint, "dt": session.dt}
        create(self.path, attributes, {"time": session.ticks * session.dt}, shapes, "progress")

    def go(self) -> None:
        """Go on to the end; every block is written as it is done."""
        session = self.session
        while session.running.step < session.running.n_steps:
            self._write(session.go(min(session.running.step + self.block, session.running.n_steps)))

    def _write(self, spikes: NDArray[np.int64]) -> None:
        """Write what has happened since the last block, and then the state."""
        session, mapped = self.session, self._maps
        ticks = slice(self._ticks_before(), session.tick)
        for name in ("output", "loss") + (("reward", "action") if session.asking.rewarded else ()):
            mapped[name][ticks] = getattr(session, name)[ticks]
        last = self._n_spikes + len(spikes)
        if last > len(mapped["spikes"]):
            raise ParameterError(f"{self.path} has room for {len(mapped['spikes'])} spikes; record shorter stretches")
        if len(spikes):
            mapped["spikes"][self._n_spikes : last] = spikes
        mapped["conductance"][self._blocks] = session.network.synapses.conductance
        if session.network.learn_couplings:
            mapped["coupling"][self._blocks] = session.network.coupling
        mapped["conductance_time"][self._blocks] = session.running.step * session.dt
        for array in mapped.values():
            if isinstance(array, np.memmap):
                array.flush()
        self._n_spikes, self._blocks, self._sequence = last, self._blocks + 1, self._sequence + 1
        head = np.array([self._sequence, session.running.step, session.tick, last, self._blocks], np.int64)
        mapped["progress"][self._sequence % 2] = [*head, zlib.crc32(head.tobytes())]
        mapped["progress"].flush()
        content = {"head": head, "session": _escaped(session.content(), "/", "|")}
        attributes = {"format": FORMAT, "fingerprint": attributes_of(self.path, FORMAT, MADE_BY)["fingerprint"]}
        write_hdf5(self._state, content, attributes, compress=False)

    def _ticks_before(self) -> int:
        found = _best(self.path, self._maps["progress"])
        return 0 if found is None or self._sequence == 0 else min(int(found[_TICKS]), self.session.tick)

    def _restore(self, fingerprint: str) -> None:
        content, attributes = read_hdf5(self._state)
        if attributes.get("fingerprint") != fingerprint:
            raise FileFormatError(f"{self._state} does not belong to {self.path}; restore it from a copy")
        session = self.session
        try:
            head = content["head"]
            self._sequence, self._n_spikes, self._blocks = (int(head[i]) for i in (_SEQUENCE, _SPIKES, _BLOCKS))
            done = slice(0, int(head[_TICKS]))
            for name in ("output", "loss") + (("reward", "action") if session.asking.rewarded else ()):
                getattr(session, name)[done] = self._maps[name][done]
            session.restore(_escaped(content["session"], "|", "/"))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise FileFormatError(f"{self._state} is no whole state ({error!r}); restore it from a copy") from error

    def spikes(self) -> NDArray[np.int64]:
        """All spikes, (k, 3)."""
        return np.array(self._maps["spikes"][: self._n_spikes])

    def conductances(self) -> tuple[Array, Array, Array]:
        """Ends of blocks, conductances and couplings then."""
        names = ("conductance_time", "conductance", "coupling")
        time, g, c = (np.array(self._maps[name][: self._blocks]) for name in names)
        return time, g, c


def _escaped(content: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Names of groups within groups without slashes, or with them again."""
    return {
        key.replace(old, new): _escaped(value, old, new) if isinstance(value, dict) else value
        for key, value in content.items()
    }


def _best(path: Path, progress: Array) -> Array | None:
    """The row of progress that counts."""
    if progress.shape != (2, 6) or progress.dtype.kind != "i":
        raise FileFormatError(f"{path}: its progress cannot be read; it is damaged, restore it from a copy")
    for which in np.argsort(-progress[:, _SEQUENCE], kind="stable"):
        row = np.array(progress[which])
        if row[_SEQUENCE] > 0 and row[_SUM] == zlib.crc32(row[:_SUM].tobytes()):
            return row
    return None


def load(path: Any) -> dict[str, Any]:
    """Fields of an `OnlineRun` from a file, of a finished run or of one that was interrupted.

    Raises
    ------
    OSError
        If there is no such file.
    FileFormatError
        If it is of another kind, or damaged.
    """
    path = Path(given_path("path", path))
    attributes = attributes_of(path, FORMAT, MADE_BY)
    try:
        dt = number("dt", attributes["dt"], above=0.0)
    except (KeyError, ParameterError) as error:
        raise FileFormatError(f"{path} is no whole run ({error}); restore it from a copy") from error
    mapped = maps(path, NAMES, "r")
    found = _best(path, mapped["progress"])
    ticks, n_spikes, blocks = (0, 0, 0) if found is None else (int(found[i]) for i in (_TICKS, _SPIKES, _BLOCKS))
    time = small(path, "time")
    rewarded = bool(mapped["reward"].size)
    rows = (*("output", "loss"), *(("reward", "action") if rewarded else ()))
    held = dict.fromkeys(rows, ticks) | dict.fromkeys(("conductance_time", "conductance", "coupling"), blocks)
    fits(path, mapped, _AXES, held | {"spikes": n_spikes})
    if len(time) < ticks or mapped["spikes"].shape[1] != 3:
        raise FileFormatError(f"{path}: its parts do not fit together; it is damaged, restore it from a copy")
    spikes = np.array(mapped["spikes"][:n_spikes])
    return {
        "time": time[:ticks],
        **{name: mapped[name][:ticks] for name in ("output", "loss")},
        **{name: mapped[name][:ticks] if rewarded else None for name in ("reward", "action")},
        **{name: mapped[name][:blocks] for name in ("conductance_time", "conductance", "coupling")},
        "spike_time": (spikes[:, 0] + 1) * dt,
        "spike_compartment": spikes[:, 1],
        "spike_stimulus": spikes[:, 2],
    }
