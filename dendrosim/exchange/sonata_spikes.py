"""Spikes in SONATA files: those of a simulation, and those that drive one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import index, instance, several
from ..biophysics.time.inputs import Spikes
from ..biophysics.time.trace import Trace
from ..errors import FileFormatError, ParameterError, choose
from ..morphology.compartments import Compartments, compartments_given
from .sonata_populations import read_population
from .sonata_write import Dataset, Group, name_given, target, write_sonata

SORTINGS = {"none": 0, "by_id": 1, "by_time": 2}


def to_sonata_spikes(
    spikes: Spikes | Trace,
    path: str | Path,
    compartments: Compartments | None = None,
    *,
    stimulus: int | None = None,
    population: str | None = None,
    sorting: str = "by_time",
    overwrite: bool = False,
) -> Path:
    """Write spikes as a SONATA spike file.

    Parameters
    ----------
    spikes : Spikes or Trace
        Spikes from outside, whose inputs are the nodes; or a simulation, whose cells are.
    path : str or Path
        HDF5 file to write.
    compartments : Compartments, optional
        With a trace: those that it was simulated with, which say whose soma fired.
    stimulus : int, optional
        Which stimulus; needed where there are several, since SONATA knows no batches.
    population : str, optional
        Node population; by default "input" for spikes from outside and "cells" for those of a trace.
    sorting : {"by_time", "by_id", "none"}, default "by_time"
        Order, which the file names; "none" keeps that of `spikes`.
    overwrite : bool, default False
        Replace a file that is there.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ParameterError
        If there is nothing of the kind to write, a weight is not 1 (the format has no weights of spikes), or there is
        a file already.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, dendrosim as ds
    >>> spikes = ds.Spikes([5.0, 1.0], [0, 1], n_inputs=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = ds.exchange.to_sonata_spikes(spikes, f"{folder}/spikes.h5")
    ...     ds.exchange.from_sonata_spikes(path, n_inputs=4).time
    array([1., 5.])
    """
    choose("sorting", sorting, SORTINGS)
    usual = "input" if isinstance(spikes, Spikes) else "cells"
    name = name_given("population", usual if population is None else population)
    time, node = spikes_of(spikes, compartments, stimulus)
    place = target(path, overwrite)
    write_sonata(place, {"spikes": {name: spike_group(time, node, sorting)}})
    return place


def spikes_of(
    spikes: object, compartments: Compartments | None, stimulus: int | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times (ms) and nodes of the spikes of one stimulus.

    Raises
    ------
    ParameterError
        If these are no spikes, or the stimulus is not said.
    """
    if isinstance(spikes, Spikes):
        if compartments is not None:
            raise ParameterError("compartments= go with a trace; spikes from outside know their inputs, leave it out")
        row = stimulus_given(stimulus, spikes.n_stimuli)
        here = spikes.stimulus == row
        if (spikes.weight[here] != 1.0).any():
            raise ParameterError(
                "spikes have weights other than 1, and SONATA's have none; put them into the conductances of synapses"
            )
        return spikes.time[here], spikes.source[here]
    trace = instance("spikes", spikes, Trace, "from ds.simulate, or ds.Spikes")
    if compartments is None:
        raise ParameterError("compartments= is missing: they say which cell a spike of the trace is of")
    compartments_given("compartments", compartments)
    row = stimulus_given(stimulus, trace.voltage.shape[0])
    here = trace.spike_stimulus == row
    where = trace.spike_compartment[here]
    if where.size and where.max() >= compartments.size:
        raise ParameterError(
            f"the trace has spikes of compartment {where.max()} and there are {compartments.size} compartments; give "
            "those that it was simulated with"
        )
    return trace.spike_time[here], compartments.cell[where]


def stimulus_given(stimulus: int | None, n: int) -> int:
    """Number of the stimulus to write.

    Raises
    ------
    ParameterError
        If there are several and none is named, or it does not exist.
    """
    if stimulus is None:
        if n != 1:
            raise ParameterError(
                f"there are {n} stimuli, and a SONATA file holds one simulation; say which with stimulus=, and write "
                "one file for each"
            )
        return 0
    return index("stimulus", stimulus, n)


def spike_group(time: NDArray[np.float64], node: NDArray[np.int64], sorting: str = "by_time") -> Group:
    """A population of a spike file."""
    import h5py

    order = np.arange(time.size)
    if sorting != "none":
        order = np.lexsort((node, time) if sorting == "by_time" else (time, node))
    kind = h5py.enum_dtype(SORTINGS, basetype=np.uint8)
    return Group(
        {
            "timestamps": Dataset(time[order].astype(np.float64), {"units": "ms"}),
            "node_ids": node[order].astype(np.uint64),
        },
        {"sorting": (SORTINGS[sorting], kind)},
    )


def from_sonata_spikes(
    path: str | Path | Sequence[str | Path], population: str | None = None, *, n_inputs: int | None = None
) -> Spikes:
    """Read a SONATA spike file as spikes that drive synapses.

    Parameters
    ----------
    path : str or Path, or sequence of them
        HDF5 file; several are as many stimuli, in this order.
    population : str, optional
        Node population; needed where the file has several. Its nodes are the inputs.
    n_inputs : int, optional
        Number of inputs, ``synapses.n_inputs``; by default just enough for the spikes.

    Returns
    -------
    Spikes

    Raises
    ------
    OSError
        If there is no such file.
    FileFormatError
        If it is no spike file.
    ParameterError
        If there is no such population, or a node is beyond `n_inputs`.
    """
    paths = [path] if isinstance(path, str | os.PathLike) else several("path", path, "paths of spike files")
    if not paths:
        raise ParameterError("path=[] names no file; give one, or a list of one per stimulus")
    parts = [_read(Path(arguments.path("path", one)), population) for one in paths]
    sizes = [time.size for time, _ in parts]
    return Spikes(
        np.concatenate([time for time, _ in parts]),
        np.concatenate([node for _, node in parts]),
        np.repeat(np.arange(len(parts)), sizes),
        n_inputs=n_inputs,
        n_stimuli=len(parts),
    )


def _read(path: Path, population: str | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Times and nodes."""
    found = read_population(path, "spikes", population, ["timestamps"])
    time, node = found.array("timestamps"), found.array("node_ids")
    if time.ndim != 1 or time.shape != node.shape or node.dtype.kind not in "iu" or time.dtype.kind not in "fiu":
        raise FileFormatError(f"{found.where}: timestamps and node_ids must be a number and a whole number per spike")
    found.in_milliseconds("timestamps")
    wrong = np.flatnonzero(~(np.isfinite(time) & (time >= 0)))
    if wrong.size:
        raise FileFormatError(f"{found.where}/timestamps[{wrong[0]}] is {time[wrong[0]]:g}; expected times from 0, ms")
    return time, found.numbers_of("node_ids", node)
