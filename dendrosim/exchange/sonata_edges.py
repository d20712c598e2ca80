"""Synapses, connections and decoders as SONATA edges: tables, types, and the indices of both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import short
from ..biophysics.time.kinetics import KINETICS, DifferenceOfExponentials, Exponential, Kinetics
from ..errors import FileFormatError, ParameterError
from .sonata_circuit import SonataCircuit
from .sonata_sections import Places, places
from .sonata_write import Dataset, Same, file_name

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NANO_TO_MICRO = 1e-3
OUR_TEMPLATE = "dendrosim:"
"""What the templates of synapses begin with that no other simulator has."""


@dataclass(eq=False)
class Edges:
    """An edge population.

    Attributes
    ----------
    name, source, target : str
        Its own name, and those of the node populations.
    source_id, target_id, type_id : int arrays of shape (n,)
    attributes : dict of arrays of shape (n,)
    dynamics : dict of arrays of shape (n,)
    types : list of dict
        Rows of the table of types.
    parameters : dict of str to dict
        JSON files that these name.
    """

    name: str
    source: str
    target: str
    source_id: Ints
    target_id: Ints
    type_id: Ints
    attributes: dict[str, NDArray[Any]]
    dynamics: dict[str, NDArray[Any]] = field(default_factory=dict)
    types: list[dict[str, Any]] = field(default_factory=list)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def content(self, n_source: int, n_target: int) -> dict[str, Any]:
        """What is in the HDF5 file, sorted by target, then source.

        Parameters
        ----------
        n_source, n_target : int
            Nodes of the two populations.
        """
        order = np.lexsort((np.arange(self.source_id.size), self.source_id, self.target_id))
        source, target = self.source_id[order].astype(np.uint64), self.target_id[order].astype(np.uint64)
        n = order.size
        group: dict[str, Any] = {name: values[order] for name, values in self.attributes.items()}
        if self.dynamics:
            group["dynamics_params"] = {name: values[order] for name, values in self.dynamics.items()}
        return {
            "edges": {
                self.name: {
                    "edge_type_id": self.type_id[order].astype(np.uint64),
                    "source_node_id": Dataset(source, {"node_population": self.source}),
                    "target_node_id": Dataset(target, {"node_population": self.target}),
                    "edge_group_id": np.zeros(n, np.uint32),
                    "edge_group_index": np.arange(n, dtype=np.uint64),
                    "0": group,
                    "indices": {
                        "source_to_target": index_of(source, n_source),
                        "target_to_source": index_of(target, n_target),
                    },
                }
            }
        }


def index_of(ids: NDArray[Any], n: int) -> dict[str, Any]:
    """Where in a table of edges every node is: ranges of each node, and edges of each range.

    Parameters
    ----------
    ids : int array of shape (n_edges,)
        Node of each edge.
    n : int
        Nodes.
    """
    ids = ids.astype(np.int64)
    start = np.flatnonzero(np.diff(ids, prepend=-1))
    stop = np.append(start[1:], ids.size)[: start.size]
    order = np.argsort(ids[start], kind="stable")
    count = np.bincount(ids[start], minlength=n)
    last = np.cumsum(count)
    return {
        "node_id_to_ranges": np.stack([last - count, last], axis=1).astype(np.uint64),
        "node_id_to_range": Same("node_id_to_ranges"),  # as BMTK calls it
        "range_to_edge_id": np.stack([start[order], stop[order]], axis=1).astype(np.uint64),
    }


def edge_populations(circuit: SonataCircuit, external: str, output: str) -> list[Edges]:
    """All edges of a circuit.

    Parameters
    ----------
    circuit : SonataCircuit
    external, output : str
        Names of the populations of external inputs and of what reads the somas.

    Raises
    ------
    ParameterError
        If two would have one name, or a time course is one of somebody's own.
    """
    synapses = circuit.synapses
    cell = np.searchsorted(circuit.roots, synapses.compartment, side="right") - 1
    where = _places(circuit)
    types = _Types(circuit)
    made: list[Edges] = []
    for target, cells in circuit.populations.items():
        mine = np.flatnonzero((cell >= cells.start) & (cell < cells.stop))
        for source, rows in _sources(circuit, external).items():
            from_here = mine[(synapses.source[mine] >= rows.start) & (synapses.source[mine] < rows.stop)]
            if from_here.size:
                ids = synapses.source[from_here] - rows.start, cell[from_here] - cells.start
                made.append(types.edges(source, target, *ids, from_here, where))
        if circuit.connections is not None:
            made += _connected(circuit, types, target, mine, cell, where)
    made += _decoders(circuit, output)
    names = [one.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(
            f"two populations of edges would be called {twice!r}, SOURCE_to_TARGET; choose names of populations "
            "without '_to_'"
        )
    return made


def _sources(circuit: SonataCircuit, external: str) -> dict[str, range]:
    """Inputs of the synapses that each population is."""
    n = circuit.n_external
    cells = {name: range(n + cells.start, n + cells.stop) for name, cells in circuit.populations.items()}
    return {external: range(n)} | (cells if circuit.synapses.n_inputs > n else {})


def _connected(
    circuit: SonataCircuit, types: _Types, target: str, mine: Ints, cell: Ints, where: Places
) -> list[Edges]:
    """One edge for every synapse that a connection opens."""
    connections, synapses = circuit.connections, circuit.synapses
    assert connections is not None
    made = []
    for source, cells in circuit.populations.items():
        own = np.flatnonzero((connections.cell >= cells.start) & (connections.cell < cells.stop))
        by_input = mine[np.argsort(synapses.source[mine], kind="stable")]
        begin, end = (np.searchsorted(synapses.source[by_input], connections.input[own], s) for s in ("left", "right"))
        count = end - begin
        which = np.repeat(own, count)
        nth = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        reached = by_input[np.repeat(begin, count) + nth]
        if which.size:
            ids = connections.cell[which] - cells.start, cell[reached] - circuit.populations[target].start
            edges = types.edges(source, target, *ids, reached, where)
            weight = connections.weight[which]
            edges.attributes["syn_weight"] = edges.attributes["syn_weight"] * weight
            edges.attributes |= {
                "delay": connections.delay[which],
                "connection_id": which.astype(np.uint64),
                "connection_weight": weight,
            }
            made.append(edges)
    return made


def _places(circuit: SonataCircuit) -> Places:
    """Places of all compartments, of all cells one after another."""
    each = [places(cell) for cell in circuit.cells]
    swc = [p.swc for p in each if p.swc is not None]
    along = [p.swc_position for p in each if p.swc_position is not None]
    whole = len(swc) == len(each)
    return Places(
        np.concatenate([p.section for p in each]),
        np.concatenate([p.position for p in each]),
        np.concatenate(swc) if whole else None,
        np.concatenate(along) if whole else None,
    )


class _Types:
    """Types of synapses: one per sign and time course.

    Reversal potential and driving force are of the type where all its synapses share one, else of the edge.
    """

    def __init__(self, circuit: SonataCircuit) -> None:
        self.circuit, self.taken = circuit, set[str]()
        courses = list(dict.fromkeys(circuit.kinetics))
        course = np.array([courses.index(k) for k in circuit.kinetics], np.int64)
        pairs = np.stack([-circuit.synapses.sign, course], axis=1)
        kinds, which = np.unique(pairs, axis=0, return_inverse=True)
        self.of_synapse: Ints = which.reshape(-1).astype(np.int64)
        self.kinds = [(-int(sign), courses[k]) for sign, k in kinds.tolist()]

    def edges(self, source: str, target: str, source_id: Ints, target_id: Ints, which: Ints, where: Places) -> Edges:
        """Edges that end at these synapses."""
        circuit, synapses = self.circuit, self.circuit.synapses
        physical = circuit.cells[0].physical
        at = synapses.compartment[which]
        attributes: dict[str, NDArray[Any]] = {
            "syn_weight": synapses.conductance[which] * (NANO_TO_MICRO if physical else 1.0),
            "delay": np.zeros(which.size),
            "sign": synapses.sign[which].astype(np.int8),
            "afferent_section_id": where.section[at].astype(np.uint32),
            "afferent_section_pos": where.position[at],
            "synapse_id": which.astype(np.uint64),
        }
        if where.swc is not None and where.swc_position is not None:
            attributes |= {
                "afferent_swc_id": where.swc[at].astype(np.uint32),
                "afferent_swc_pos": where.swc_position[at],
            }
        kind = self.of_synapse[which]
        values = {"erev": synapses.reversal[which], "driving_force": synapses.driving_force[which]}
        shared = {
            name: {k: float(v[kind == k][0]) for k in np.unique(kind).tolist() if np.ptp(v[kind == k]) == 0}
            for name, v in values.items()
        }
        uniform = {name: len(found) == np.unique(kind).size for name, found in shared.items()}
        name = f"{source}_to_{target}"
        made = Edges(name, source, target, source_id, target_id, kind, attributes)
        if not uniform["driving_force"]:
            attributes["driving_force"] = values["driving_force"]
        if not uniform["erev"]:
            made.dynamics["erev"] = values["erev"]
        for k in np.unique(kind).tolist():
            sign, course = self.kinds[k]
            template, parameters = template_of(course)
            if uniform["erev"]:
                parameters["erev"] = shared["erev"][k]
            file = file_name(f"{name}_{'excitatory' if sign > 0 else 'inhibitory'}_{course.name}", self.taken)
            made.parameters[file] = parameters
            made.types.append(
                {
                    "edge_type_id": k,
                    "population": name,
                    "model_template": template,
                    "dynamics_params": f"{file}.json",
                    "sign": sign,
                    "syn_weight_units": "uS" if physical else "leak conductance",
                    "delay_units": "ms",
                    "driving_force": shared["driving_force"][k] if uniform["driving_force"] else None,
                }
            )
        return made


def _decoders(circuit: SonataCircuit, output: str) -> list[Edges]:
    """Layers that read the somas, dense."""
    made = []
    cells = {
        name: np.intersect1d(circuit.readout, np.arange(r.start, r.stop)) for name, r in circuit.populations.items()
    }
    for i, (weight, _) in enumerate(circuit.decoder):
        last = i == len(circuit.decoder) - 1
        target = output if last else f"{output}_hidden{i + 1}"
        sources = {f"{output}_hidden{i}": np.arange(weight.shape[1])}
        if i == 0:
            sources = {name: found for name, found in cells.items() if found.size}
        first = 0
        for source, ids in sources.items():
            begin = circuit.populations[source].start if i == 0 else 0
            part = weight[:, first : first + ids.size]
            first += ids.size
            edges = Edges(
                f"{source}_to_{target}",
                source,
                target,
                np.tile(ids - begin, len(weight)),
                np.repeat(np.arange(len(weight)), ids.size),
                np.zeros(part.size, np.int64),
                {"syn_weight": part.reshape(-1), "delay": np.zeros(part.size)},
            )
            row = {"edge_type_id": 0, "population": edges.name, "model_template": f"{OUR_TEMPLATE}weight"}
            row |= {"syn_weight_units": "1", "reference": circuit.reference, "scale": circuit.scale}
            edges.types.append(row)
            made.append(edges)
    return made


def template_of(course: Kinetics) -> tuple[str, dict[str, Any]]:
    """Template of a time course and its parameters: NEURON's where NEURON has it.

    Raises
    ------
    ParameterError
        If it is one of somebody's own, which nobody could read back.
    """
    if type(course) is Exponential:
        return "ExpSyn", {"level_of_detail": "expsyn", "tau": course.tau}
    if type(course) is DifferenceOfExponentials:
        return "Exp2Syn", {"level_of_detail": "exp2syn", "tau1": course.rise, "tau2": course.decay_time}
    if type(course) is not KINETICS.get(course.name):
        raise ParameterError(
            f"kinetics has {short(course)}, a time course of your own, for which SONATA has no template; it takes "
            f"those of dendrosim: {', '.join(KINETICS)}"
        )
    return f"{OUR_TEMPLATE}{course.name}", {f.name: getattr(course, f.name) for f in fields(course)}


def course_of(template: str, parameters: Mapping[str, Any], where: str) -> Kinetics:
    """The time course that `template_of` named.

    Raises
    ------
    FileFormatError
        If it is none.
    """
    try:
        if template == "ExpSyn":
            return Exponential(parameters["tau"])
        if template == "Exp2Syn":
            return DifferenceOfExponentials(parameters["tau1"], parameters["tau2"])
        kind = KINETICS[template.removeprefix(OUR_TEMPLATE)]
        return kind(**{f.name: parameters[f.name] for f in fields(kind)})
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"{where}: {template!r} is no time course with the parameters it needs: {error!r}"
        ) from None
