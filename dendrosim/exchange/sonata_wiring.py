"""Edges of a SONATA circuit put together as synapses, connections and decoders again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..biophysics.direction import direction
from ..biophysics.integration import integration
from ..biophysics.synapses import Synapses
from ..biophysics.time.connections import Connections
from ..biophysics.time.kinetics import Kinetics
from ..morphology.compartments import Compartments
from .sonata_circuit import SonataCircuit
from .sonata_edges import NANO_TO_MICRO, course_of
from .sonata_sections import places

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Table:
    """An edge population as it was read.

    Attributes
    ----------
    source, target : str
        Node populations.
    group : dict
        What its HDF5 group holds.
    kinds : dict of int to dict
        Rows of the table of types.
    parameters : dict of int to dict
        JSON files that these name.
    """

    source: str
    target: str
    group: dict[str, Any]
    kinds: dict[int, dict[str, str]]
    parameters: dict[int, dict[str, Any]]

    @property
    def attributes(self) -> dict[str, Any]:
        """Of every edge."""
        found: dict[str, Any] = self.group["0"]
        return found

    def ids(self, end: str, size: int) -> Ints:
        """Nodes at one end, of a population of `size`."""
        found: Ints = self.group[f"{end}_node_id"].astype(np.int64)
        if found.size and not 0 <= found.min() <= found.max() < size:
            raise ValueError(f"edges from {self.source} to {self.target} have {end} nodes beyond 0 to {size - 1}")
        return found

    def values(self, key: str, per_type: dict[int, Any], per_edge: dict[str, Any]) -> Floats:
        """What edges have of their own, or from their types."""
        if key in per_edge:
            own: Floats = per_edge[key]
            return own
        return np.array([float(per_type[k][key]) for k in self.group["edge_type_id"].tolist()])


class Wiring:
    """Takes edge populations one after another.

    Parameters
    ----------
    cells : list of Compartments
    populations : dict of str to range
    external : str
        Population of external inputs.
    n_external : int
        Its nodes.
    n_inputs : int
        Of the synapses: the external ones, and in networks of steady states one for every cell.
    """

    def __init__(
        self, cells: list[Compartments], populations: dict[str, range], external: str, n_external: int, n_inputs: int
    ) -> None:
        self.cells, self.populations = cells, populations
        self.external, self.n_external = external, n_external
        self.roots = np.cumsum([0, *(cell.size for cell in cells)])
        self.n_inputs = n_inputs
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._courses: list[Kinetics] = []
        self._links: list[tuple[NDArray[Any], ...]] = []
        self._layers: dict[str, list[Table]] = {}

    def add(self, table: Table) -> None:
        """Take an edge population: synapses, what connections open, or a layer of the decoder."""
        if table.target not in self.populations:
            self._layers.setdefault(table.target, []).append(table)
            return
        attributes = table.attributes
        synapse = attributes["synapse_id"].astype(np.int64)
        if "connection_id" in attributes:
            cell = self._cells(table, "source")
            link = (attributes["connection_id"].astype(np.int64), cell, synapse)
            self._links.append((*link, attributes["delay"], attributes["connection_weight"]))
            return
        outside = table.source == self.external
        source = table.ids("source", self.n_external) if outside else self.n_external + self._cells(table, "source")
        cell = self._cells(table, "target")
        found = {
            "id": synapse,
            "compartment": self.roots[cell] + self._within(cell, attributes),
            "source": source,
            "sign": attributes["sign"].astype(np.int64),
            "conductance": attributes["syn_weight"] / (NANO_TO_MICRO if self.cells[0].physical else 1.0),
            "reversal": table.values("erev", table.parameters, attributes.get("dynamics_params", {})),
            "driving_force": table.values("driving_force", table.kinds, attributes),
        }
        for key, values in found.items():
            self._columns.setdefault(key, []).append(values)
        known = {
            k: course_of(row["model_template"], table.parameters[k], row["dynamics_params"])
            for k, row in table.kinds.items()
        }
        self._courses += [known[k] for k in table.group["edge_type_id"].tolist()]

    def _cells(self, table: Table, end: str) -> Ints:
        """Cells at one end."""
        cells = self.populations[table.source if end == "source" else table.target]
        return table.ids(end, len(cells)) + cells.start

    def _within(self, cell: Ints, attributes: dict[str, Any]) -> Ints:
        """Compartments of cells at sections and positions along them."""
        position = attributes["afferent_section_pos"]
        if not ((position >= 0) & (position <= 1)).all():
            raise ValueError("afferent_section_pos is not from 0 to 1")
        asked = 2.0 * attributes["afferent_section_id"] + attributes["afferent_section_pos"]
        out = np.empty(cell.size, np.int64)
        for k in np.unique(cell).tolist():
            here = cell == k
            place = places(self.cells[k])
            key = 2.0 * place.section + place.position
            order = np.argsort(key, kind="stable")
            after = np.clip(np.searchsorted(key[order], asked[here]), 0, order.size - 1)
            before = np.maximum(after - 1, 0)
            nearer = np.abs(key[order[before]] - asked[here]) < np.abs(key[order[after]] - asked[here])
            found = order[np.where(nearer, before, after)]
            if not np.array_equal(place.section[found], attributes["afferent_section_id"][here]):
                raise ValueError(f"a synapse is on a section that cell {k} does not have")
            out[here] = found
        return out

    def circuit(
        self,
        slope: Floats | None,
        midpoint: Floats | None,
        row: dict[str, str],
        biases: dict[str, Floats],
        n_synapses: int,
    ) -> SonataCircuit:
        """The circuit of all that was taken.

        Parameters
        ----------
        slope, midpoint : float arrays of shape (N,), or None
            Gates.
        row : dict
            A node type of the cells, which says how inputs combine.
        biases : dict of str to array
            Of the populations that are decoders.
        n_synapses : int
            How many there have to be.
        """
        none: dict[str, NDArray[Any]] = {key: np.empty(0, np.int64) for key in ("id", "compartment", "source", "sign")}
        none |= {key: np.empty(0) for key in ("conductance", "reversal", "driving_force")}
        found = none | {key: np.concatenate(values) for key, values in self._columns.items()}
        which = found.pop("id")
        if not np.array_equal(np.sort(which), np.arange(n_synapses)):
            raise ValueError(f"synapse_id is not each of 0 to {n_synapses - 1} once: edges are missing or there twice")
        order = np.argsort(which, kind="stable")
        forest = self.cells[0] if len(self.cells) == 1 else Compartments.forest(self.cells)
        columns = {key: values[order] for key, values in found.items()}
        synapses = Synapses(forest, columns.pop("compartment"), n_inputs=self.n_inputs, **columns)
        decoder, readout, head = self._decoder(biases)
        return SonataCircuit(
            cells=tuple(self.cells),
            populations=self.populations,
            synapses=synapses,
            n_external=self.n_external,
            kinetics=[self._courses[i] for i in order.tolist()],
            connections=self._connections(synapses),
            slope=slope,
            midpoint=midpoint,
            integration=integration(row["integration"]).name,
            direction=direction(row["direction"]).name,
            decoder=decoder,
            readout=readout,
            reference=number("reference", float(head.get("reference", 0.0))),
            scale=number("scale", float(head.get("scale", 1.0)), above=0),
        )

    def _connections(self, synapses: Synapses) -> Connections | None:
        if not self._links:
            return None
        which, cell, synapse, delay, weight = (np.concatenate(column) for column in zip(*self._links, strict=True))
        first = np.unique(which, return_index=True)[1]
        return Connections(cell[first], synapses.source[synapse[first]], delay[first], weight[first])

    def _decoder(self, biases: dict[str, Floats]) -> tuple[tuple[tuple[Floats, Floats], ...], Ints, dict[str, str]]:
        """Weights and biases of every layer, the cells that the first one reads, and a row of its types."""
        layers: list[tuple[Floats, Floats]] = []
        readout: Ints = np.empty(0, np.int64)
        head: dict[str, str] = {}
        for target, tables in self._layers.items():
            parts, read = [], []
            for table in tables:
                n_out, cells = len(biases[target]), self.populations.get(table.source)
                source = table.ids("source", len(biases[table.source] if cells is None else cells))
                columns, place = np.unique(source, return_inverse=True)
                weight = np.zeros((n_out, columns.size))
                weight[table.ids("target", n_out), place.reshape(-1)] = table.attributes["syn_weight"]
                parts.append(weight)
                if cells is not None:
                    read.append(columns + cells.start)
                    head = next(iter(table.kinds.values()))
            layers.append((np.concatenate(parts, axis=1), biases[target].astype(np.float64)))
            if not all(np.isfinite(values).all() for values in layers[-1]):
                raise ValueError(f"weights or biases of {target} are not finite")
            readout = np.concatenate(read) if read else readout
        return tuple(layers), readout, head
