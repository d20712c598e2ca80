"""Recorded voltages as SONATA element reports, and reports as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import instance
from ..biophysics.time.trace import Trace
from ..errors import FileFormatError, ParameterError
from ..morphology.compartments import Compartments, compartments_given
from .sonata_circuit import single_cells
from .sonata_populations import read_population
from .sonata_sections import places
from .sonata_spikes import stimulus_given
from .sonata_write import Dataset, Same, name_given, target, write_frames

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class SonataReport:
    """A report, one column per element of a node.

    Attributes
    ----------
    time : float array of shape (T,)
        ms.
    data : float32 array of shape (T, n)
    units : str
        Of `data`; empty where the file does not say.
    node_id : int array of shape (n,)
        Node of each column.
    element_id : int array of shape (n,)
        Section of each column; 0 is the soma.
    element_position : float array of shape (n,), or None
        Along the section, 0 to 1; None where the file does not say.
    population : str
    """

    time: NDArray[np.float64]
    data: NDArray[Any]
    units: str
    node_id: Ints
    element_id: Ints
    element_position: NDArray[Any] | None
    population: str

    def __repr__(self) -> str:
        t, n = self.data.shape
        nodes = np.unique(self.node_id).size
        return (
            f"<SonataReport of {self.population}: {t} times, {n} elements of {nodes} nodes, {self.units or 'no units'}>"
        )


def to_sonata_report(
    trace: Trace,
    path: str | Path,
    compartments: Compartments,
    *,
    stimulus: int | None = None,
    population: str = "cells",
    overwrite: bool = False,
) -> Path:
    """Write recorded voltages as a SONATA compartment report.

    A recording on disk (``ds.simulate(..., store=)``) is copied a few times at a time and never loaded whole.

    Parameters
    ----------
    trace : Trace
    path : str or Path
        HDF5 file to write.
    compartments : Compartments
        Those that it was simulated with: cells are the nodes.
    stimulus : int, optional
        Which stimulus; needed where there are several, since SONATA knows no batches.
    population : str, default "cells"
        Node population.
    overwrite : bool, default False
        Replace a file that is there.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ParameterError
        If nothing was recorded, or there is a file already.
    OSError
        If the file cannot be written.

    Notes
    -----
    The format wants float32: a voltage of -70 mV is kept to 4e-6 mV. Columns are in order of node, section and position
    along it. The stop time is one step behind the last frame.

    Examples
    --------
    >>> import tempfile, dendrosim as ds
    >>> cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    >>> trace = ds.simulate(cell, duration=5.0, record="all", clamps=ds.Clamp(0, 20.0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ds.exchange.from_sonata_report(ds.exchange.to_sonata_report(trace, f"{folder}/voltage.h5", cell))
    <SonataReport of cells: 201 times, 11 elements of 1 nodes, mV>
    """
    compartments_given("compartments", compartments)
    name_given("population", population)
    check_report(trace, compartments.size)
    row = stimulus_given(stimulus, trace.voltage.shape[0])
    place = target(path, overwrite)
    write_report(place, trace, row, compartments, population, range(compartments.n_cells))
    return place


def check_report(trace: object, n_compartments: int) -> None:
    """See that a trace can be reported.

    Raises
    ------
    ParameterError
        If nothing was recorded, or it is of other compartments.
    """
    given = instance("trace", trace, Trace, "from ds.simulate")
    if not given.compartment.size or not given.time.size:
        raise ParameterError("the trace has no voltages to report; use ds.simulate(..., record='all')")
    if given.compartment.max() >= n_compartments:
        raise ParameterError(
            f"the trace was recorded at compartment {given.compartment.max()} and there are {n_compartments} "
            "compartments; give those that it was simulated with"
        )


def write_report(
    path: Path, trace: Trace, stimulus: int, compartments: Compartments, population: str, cells: range
) -> bool:
    """Write the report of some cells, which are nodes 0, 1, ...; False if nothing of them was recorded."""
    recorded = np.unique(trace.compartment, return_index=True)[1]
    cell = compartments.cell[trace.compartment[recorded]]
    recorded = recorded[(cell >= cells.start) & (cell < cells.stop)]
    if not recorded.size:
        return False
    at = trace.compartment[recorded]
    cell = compartments.cell[at]
    section, position = np.empty(at.size, np.int64), np.empty(at.size)
    for k, one in enumerate(single_cells(compartments)):
        if k in cells:
            here, where = cell == k, places(one)
            section[here] = where.section[at[here] - compartments.roots[k]]
            position[here] = where.position[at[here] - compartments.roots[k]]
    order = np.lexsort((position, section, cell))
    node, count = np.unique(cell[order] - cells.start, return_counts=True)
    step = float(trace.time[1] - trace.time[0]) if trace.time.size > 1 else float(trace.dt)
    mapping = {
        "node_ids": Dataset(node.astype(np.uint64), {"sorted": (1, np.uint8)}),
        "index_pointers": np.concatenate([[0], np.cumsum(count)]).astype(np.uint64),
        "index_pointer": Same("index_pointers"),  # as BMTK calls it
        "element_ids": section[order].astype(np.uint32),
        "element_pos": position[order].astype(np.float32),
        "time": Dataset(np.array([0.0, step * trace.time.size, step]), {"units": "ms"}),
    }
    columns = recorded[order]
    write_frames(
        path,
        {"report": {population: {"mapping": mapping}}},
        f"/report/{population}/data",
        (trace.time.size, columns.size),
        "mV" if compartments.physical else "1",
        lambda first, last: trace.voltage[stimulus, first:last][:, columns],
    )
    return True


def from_sonata_report(path: str | Path, population: str | None = None) -> SonataReport:
    """Read a SONATA report of nodes' elements as arrays.

    Parameters
    ----------
    path : str or Path
        HDF5 file.
    population : str, optional
        Node population; needed where the file has several.

    Returns
    -------
    SonataReport

    Raises
    ------
    OSError
        If there is no such file.
    FileFormatError
        If it is no such report, or asks for too much memory.
    ParameterError
        If there is no such population.
    """
    found = read_population(Path(arguments.path("path", path)), "report", population, ["data", "mapping/time"])
    where, mapping = found.where, found.group.get("mapping")
    if not isinstance(mapping, dict):
        raise FileFormatError(f"{where} has no group mapping")
    data = found.array("data")
    names = ("node_ids", "index_pointers" if "index_pointers" in mapping else "index_pointer", "element_ids", "time")
    node, pointer, element, time = (found.array(key, mapping) for key in names)
    position = mapping.get("element_pos")
    if data.ndim != 2 or time.shape != (3,) or element.shape != data.shape[1:] or node.ndim != 1:
        raise FileFormatError(f"{where}: data, element_ids, node_ids and time do not fit together")
    if position is not None and (not isinstance(position, np.ndarray) or position.shape != element.shape):
        raise FileFormatError(f"{where}/mapping/element_pos does not fit element_ids")
    if any(array.dtype.kind not in "iu" for array in (node, pointer, element)) or time.dtype.kind not in "fiu":
        raise FileFormatError(f"{where}/mapping: node_ids, index_pointers and element_ids must be whole numbers")
    # the guide gives one pointer per node, all tools one more
    edges = np.append(pointer[: node.size].astype(np.int64), data.shape[1])
    whole = pointer.size == node.size or (pointer.size == node.size + 1 and pointer[-1] == data.shape[1])
    if not whole or edges[0] != 0 or (np.diff(edges) < 0).any():
        raise FileFormatError(
            f"{where}/mapping/index_pointers do not rise from 0, one per node, to the {data.shape[1]} columns of data"
        )
    if not (np.isfinite(time).all() and time[2] > 0):
        raise FileFormatError(f"{where}/mapping/time is {time.tolist()}; expected start, stop and a positive step, ms")
    found.in_milliseconds("mapping/time")
    return SonataReport(
        time=float(time[0]) + np.arange(len(data), dtype=np.float64) * np.float64(time[2]),
        data=data,
        units=found.units.get("data", ""),
        node_id=np.repeat(found.numbers_of("mapping/node_ids", node), np.diff(edges)),
        element_id=found.numbers_of("mapping/element_ids", element),
        element_position=position,
        population=found.name,
    )
