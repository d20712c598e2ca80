"""Recordings that grow in an HDF5 file while a simulation runs; see `mapped` for how they survive being killed."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arguments import number
from ...arguments import path as given_path
from ...errors import FileFormatError, ParameterError
from .mapped import Shapes, attributes_of, create, fits, maps, small
from .trace import Trace

Array = NDArray[Any]

FORMAT, MADE_BY = "dendrosim trace 1", "ds.simulate"
NAMES = ("voltage", "conductance", "spikes", "checkpoint", "progress")
_SEQUENCE, _STEPS, _SPIKES, _SUM = range(4)


class Layout(NamedTuple):
    """What a file is made for.

    Attributes
    ----------
    records, rows : int
        Times and stimuli.
    compartment, synapse : int arrays
        What is recorded.
    most_spikes : int
    memory : int
        Bytes of a checkpoint.
    attributes : dict
    """

    records: int
    rows: int
    compartment: NDArray[np.int64]
    synapse: NDArray[np.int64]
    most_spikes: int
    memory: int
    dtype: np.dtype[Any]
    attributes: dict[str, Any]


def fingerprint(*parts: Any) -> str:
    """A digest of arrays and plain values, to tell whether a file belongs to a simulation."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()


class Store:
    """An open recording.

    Parameters
    ----------
    path : Path
    layout : Layout
    resume : bool
        Go on with the file that is there, if there is one.

    Raises
    ------
    ParameterError
        If there is a file and `resume` is false, or the file is of another simulation.
    """

    def __init__(self, path: Path, layout: Layout, resume: bool) -> None:
        self.path, self.layout = path, layout
        self._n_spikes = self._sequence = 0
        if path.exists() and not resume:
            raise ParameterError(f"{path} exists; give another store=, remove it, or go on with it by resume=True")
        if not path.exists():
            _create(path, layout)
        elif attributes_of(path, FORMAT, MADE_BY).get("fingerprint") != layout.attributes["fingerprint"]:
            raise ParameterError(
                f"{path} is the recording of another simulation (other cells, inputs or options); give another store="
            )
        self._maps = maps(path, NAMES)
        expected = _shapes(layout)
        for name, mapped in self._maps.items():
            if mapped.shape != expected[name][0]:
                raise FileFormatError(
                    f"{path}: {name} has shape {mapped.shape}, this simulation needs {expected[name][0]}; give another "
                    "store="
                )

    def restore(self) -> tuple[int, bytes] | None:
        """Steps done and the bytes of the last good checkpoint; None where there is none."""
        found = _best(self.path, self._maps)
        if found is None:
            return None
        row, which = found
        self._sequence, self._n_spikes = int(row[_SEQUENCE]), int(row[_SPIKES])
        return int(row[_STEPS]), bytes(self._maps["checkpoint"][which])

    def write(self, record: int, voltage: Array, conductance: Array, spikes: Array, steps: int, memory: bytes) -> None:
        """Add a block: records from `record` on (T, B, ...), spikes (n, 3), and the state after `steps` steps.

        Raises
        ------
        ParameterError
            If there are more spikes than the file has room for.
        """
        for name, values in (("voltage", voltage), ("conductance", conductance)):
            if values.size:
                self._maps[name][record : record + len(values)] = values
        last = self._n_spikes + len(spikes)
        if last > self.layout.most_spikes:
            raise ParameterError(
                f"{self.path} has room for {self.layout.most_spikes} spikes, one per ms, cell and stimulus; record "
                "shorter stretches"
            )
        if len(spikes):
            self._maps["spikes"][self._n_spikes : last] = spikes
        self._n_spikes = last
        self._sequence += 1
        which = self._sequence % 2
        self._maps["checkpoint"][which] = np.frombuffer(memory, np.uint8)
        for mapped in self._maps.values():
            if isinstance(mapped, np.memmap):
                mapped.flush()
        head = np.array([self._sequence, steps, last], np.int64)
        self._maps["progress"][which] = [*head, zlib.crc32(memory, zlib.crc32(head.tobytes()))]
        self._maps["progress"].flush()


def _shapes(layout: Layout) -> Shapes:
    return {
        "voltage": (
            (layout.records, layout.rows, layout.compartment.size),
            layout.dtype,
            "mV, (time, stimulus, probe)",
        ),
        "conductance": (
            (layout.records, layout.rows, layout.synapse.size),
            layout.dtype,
            "nS, (time, stimulus, probe)",
        ),
        "spikes": ((layout.most_spikes, 3), np.int64, "step at whose end, compartment, stimulus"),
        "checkpoint": ((2, layout.memory), np.uint8, "state of the simulation, written in turn"),
        "progress": ((2, 4), np.int64, "sequence, steps done, spikes, checksum; the greater sequence counts"),
    }


def _create(path: Path, layout: Layout) -> None:
    plain = {"compartment": layout.compartment, "synapse": layout.synapse}
    attributes = layout.attributes | {"format": FORMAT}
    create(path, attributes, plain, _shapes(layout), "progress", sparse=("spikes",))


def _best(path: Path, mapped: dict[str, Any]) -> tuple[Array, int] | None:
    """The progress row that counts, and which of the two it is."""
    progress = mapped["progress"]
    twice = mapped["checkpoint"].ndim == 2 and len(mapped["checkpoint"]) == 2
    if progress.shape != (2, 4) or progress.dtype.kind != "i" or not twice:
        raise FileFormatError(f"{path}: its progress cannot be read; it is damaged, restore it from a copy")
    for which in np.argsort(-progress[:, _SEQUENCE], kind="stable"):
        row = np.array(progress[which])
        memory = mapped["checkpoint"][which].tobytes()
        if row[_SEQUENCE] > 0 and row[_SUM] == zlib.crc32(memory, zlib.crc32(row[:_SUM].tobytes())):
            return row, int(which)
    return None


def load(path: Any) -> Trace:
    """See `Trace.load`."""
    path = Path(given_path("path", path))
    attributes = attributes_of(path, FORMAT, MADE_BY)
    mapped = maps(path, NAMES, "r")
    found = _best(path, mapped)
    steps, n_spikes = (0, 0) if found is None else (int(found[0][_STEPS]), int(found[0][_SPIKES]))
    try:
        dt, every = number("dt", attributes["dt"], above=0.0), int(attributes["every"])
        method, topics = str(attributes["method"]), str(attributes.get("topics", ""))
        records = 0 if found is None else steps // every + 1
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise FileFormatError(f"{path} is no whole recording ({error!r}); restore it from a copy") from error
    compartment, synapse = small(path, "compartment"), small(path, "synapse")
    fits(path, mapped, {"voltage": 3, "conductance": 3, "spikes": 2}, {"voltage": records, "spikes": n_spikes})
    widths = (mapped["voltage"].shape[2], mapped["conductance"].shape[2], mapped["spikes"].shape[1])
    if steps < 0 or every < 1 or widths != (compartment.size, synapse.size, 3):
        raise FileFormatError(f"{path}: its parts do not fit together; it is damaged, restore it from a copy")
    spikes = np.array(mapped["spikes"][:n_spikes])
    return Trace(
        time=np.arange(0, every * records, every) * np.float64(dt),
        voltage=mapped["voltage"][:records].swapaxes(0, 1),
        compartment=compartment,
        conductance=mapped["conductance"][:records].swapaxes(0, 1),
        synapse=synapse,
        spike_time=(spikes[:, 0] + 1) * dt,
        spike_compartment=spikes[:, 1],
        spike_stimulus=spikes[:, 2],
        dt=dt,
        method=method,
        n_steps=steps,
        final=None,
        topics=tuple(filter(None, topics.split(","))),
    )
