"""Who is connected to whom: populations of dendritic cells and projections, and the plain arrays they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, number, several, short, whole
from ..arguments import names as names_of
from ..errors import ParameterError, choose
from ..morphology.compartments import Compartments
from .trees import normalised

Integers = NDArray[np.int64]

Kind = TypeVar("Kind")

INPUT = "input"
"""Name of the network's inputs as the source of a projection."""
PLACES = ("dendrites", "soma", "all")


@dataclass(frozen=True)
class Population:
    """Dendritic cells that share a name.

    Parameters
    ----------
    name : str
    cells : tuple of Compartments
        The tree of each cell; trees in physical units are normalised (`trees.normalised`).
    """

    name: str
    cells: tuple[Compartments, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ParameterError(f"name={short(self.name)} of a population must be text")
        if self.name == INPUT:
            raise ParameterError(f"a population cannot be called {INPUT!r}: that names the network's inputs")
        hint = "the Compartments of each cell"
        object.__setattr__(self, "cells", tuple(several(f"cells of population {self.name!r}", self.cells, hint)))
        for cell in self.cells:
            instance(f"cells of population {self.name!r}", cell, Compartments, hint)
        if not self.cells:
            raise ParameterError(f"population {self.name!r} has no cells; it needs at least one")


@dataclass(frozen=True)
class Projection:
    """Synapses of one sign from the inputs, or from the cells of a population, onto those of another.

    Parameters
    ----------
    source : str
        ``"input"`` or the name of a population.
    target : str
        Name of a population.
    sign : int
        +1 excitatory, -1 inhibitory.
    synapses : int
        Number per compartment, each from another source.
    onto : {"dendrites", "soma", "all"}, default "dendrites"
        Which compartments; branch points, which have no membrane, never carry synapses.
    """

    source: str
    target: str
    sign: int
    synapses: int
    onto: str = "dendrites"

    def __post_init__(self) -> None:
        for name in ("source", "target"):
            if not isinstance(getattr(self, name), str):
                raise ParameterError(f"{name}={short(getattr(self, name))} of a projection must be a name")
        choose(f"onto of the projection {self}", self.onto, PLACES)
        if number(f"sign of the projection {self}", self.sign) not in (1.0, -1.0):
            raise ParameterError(f"sign={self.sign!r} of the projection {self} must be 1 or -1")
        whole(f"synapses per compartment of the projection {self}", self.synapses)

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


def of_kind(name: str, given: object, kind: type[Kind]) -> list[Kind]:
    """The items of a list, all of one class.

    Raises
    ------
    ParameterError
        If it is no list, or an item is something else.
    """
    hint = f"a list of {kind.__name__} objects"
    return [instance(f"{name}[{i}]", item, kind, hint) for i, item in enumerate(several(name, given, hint))]


@dataclass(frozen=True)
class Banks:
    """Groups of synapses that choose among the same candidates: those of one projection onto one compartment.

    Attributes
    ----------
    first, last : int arrays of shape (n_banks,)
        Synapses of each.
    row, width : int arrays of shape (n_banks,)
        First presynaptic row and number of its candidates.
    compartment, sign : int arrays of shape (n_banks,)
    """

    first: Integers
    last: Integers
    row: Integers
    width: Integers
    compartment: Integers
    sign: Integers


class Layout:
    """Compartments, cells and synapses of a network as plain arrays, in the order in which they are evaluated.

    Parameters
    ----------
    n_inputs : int
    populations : sequence of Population
    projections : sequence of Projection
    readout : sequence of str
        Populations whose cells the decoder reads.

    Attributes
    ----------
    parent, cell, stage, layer : int arrays of shape (N,)
        Parent compartment (-1 at roots), cell, number of branchings above, and pair of population and stage.
    child : int array
        Compartments that have a parent.
    leak, coupling : float arrays of shape (N,)
        Leak, and the coupling that the tree came with (0 at roots).
    roots, population : int arrays of shape (C,)
        Root compartment and population of every cell.
    largest : int
        Compartments of the largest cell.
    populations : tuple of Population
        In order of evaluation.
    layers : tuple of (str, int)
        Population and stage of each layer.
    cells_of, compartments_of : tuple of (int, int)
        Range of cells and of compartments of each population.
    first, middle, last : int arrays of shape (N,)
        Synapses of a compartment: ``first:middle`` excitatory, ``middle:last`` inhibitory.
    banks : Banks
    readout : int array
        Cells that the decoder reads.

    Raises
    ------
    ParameterError
        If a name is unknown or taken twice, the projections form a cycle, there are fewer sources than synapses, or a
        cell has no input at all.
    """

    def __init__(
        self,
        n_inputs: int,
        populations: Sequence[Population],
        projections: Sequence[Projection],
        readout: Sequence[str],
    ) -> None:
        self.n_inputs = n_inputs
        populations = of_kind("populations", populations, Population)
        projections = of_kind("projections", projections, Projection)
        readout = names_of("readout", readout)
        if not readout:
            raise ParameterError("readout names no population; the decoder reads at least one, such as ['layer1']")
        self.populations = self._ordered(populations, projections)
        self.projections = tuple(projections)
        names = [p.name for p in self.populations]
        for name in readout:
            choose("readout", name, names)
        self.trees = tuple(normalised(cell) for p in self.populations for cell in p.cells)
        sizes = np.array([tree.size for tree in self.trees])
        self.largest = int(sizes.max())
        self.roots: Integers = np.cumsum(sizes) - sizes
        parent = np.concatenate([tree.parent for tree in self.trees])
        self.cell: Integers = np.repeat(np.arange(sizes.size), sizes)
        self.parent: Integers = np.where(parent < 0, -1, parent + self.roots[self.cell])
        self.child: Integers = np.flatnonzero(self.parent >= 0)
        self.leak = np.concatenate([tree.leak for tree in self.trees])
        self.coupling = np.concatenate([tree.coupling for tree in self.trees])
        self.stage: Integers = np.concatenate([tree.stage for tree in self.trees])
        counts = [len(p.cells) for p in self.populations]
        self.population: Integers = np.repeat(np.arange(len(counts)), counts)
        ends = np.cumsum(counts)
        self.cells_of = tuple((int(end - n), int(end)) for end, n in zip(ends, counts, strict=True))
        edges = [*self.roots, self.size]
        self.compartments_of = tuple((int(edges[a]), int(edges[b])) for a, b in self.cells_of)
        pairs = np.stack([self.population[self.cell], self.stage], axis=1)
        found, layer = np.unique(pairs, axis=0, return_inverse=True)
        self.layer: Integers = layer.reshape(-1)
        self.layers = tuple((names[p], int(s)) for p, s in found)
        chosen = [names.index(name) for name in readout]
        self.readout: Integers = np.flatnonzero(np.isin(self.population, chosen))
        self.banks = self._banks()

    def _ordered(self, populations: Sequence[Population], projections: Sequence[Projection]) -> tuple[Population, ...]:
        import networkx as nx

        names = [p.name for p in populations]
        if len(set(names)) < len(names):
            raise ParameterError(f"two populations share a name: {', '.join(names)}")
        graph = nx.DiGraph()
        graph.add_nodes_from(names)
        for projection in projections:
            choose(f"source of the projection {projection}", projection.source, [INPUT, *names])
            choose(f"target of the projection {projection}", projection.target, names)
            if projection.source != INPUT:
                graph.add_edge(projection.source, projection.target)
        if not nx.is_directed_acyclic_graph(graph):
            loop = " -> ".join(edge[0] for edge in nx.find_cycle(graph))
            raise ParameterError(f"the projections form a cycle ({loop}); steady states need an acyclic network")
        order = nx.lexicographical_topological_sort(graph, key=names.index)
        return tuple(populations[names.index(name)] for name in order)

    def _banks(self) -> Banks:
        names = [p.name for p in self.populations]
        columns: list[Integers] = []
        for projection in self.projections:
            start, stop = self.compartments_of[names.index(projection.target)]
            n = np.arange(start, stop)
            root = self.parent[n] < 0
            here = {"dendrites": ~root, "soma": root, "all": np.ones(n.size, bool)}[projection.onto]
            n = n[here & (self.leak[n] > 0)]
            if projection.source == INPUT:
                row, width = 0, self.n_inputs
            else:
                a, b = self.cells_of[names.index(projection.source)]
                row, width = self.n_inputs + a, b - a
            if projection.synapses > width:
                raise ParameterError(
                    f"the projection {projection} asks for {projection.synapses} synapses per compartment, each from "
                    f"another source, and {projection.source} has {width}; ask for at most {width}"
                )
            constant = [row, width, projection.sign, projection.synapses]
            columns.append(np.column_stack([n, *(np.full(n.size, c) for c in constant)]))
        bank = np.concatenate(columns) if columns else np.zeros((0, 5), np.int64)
        bank = bank[np.lexsort((-bank[:, 3], bank[:, 0]))]
        compartment, row_, width_, sign, count = bank.T
        end = np.cumsum(count)
        excitatory = np.bincount(compartment[sign > 0], weights=count[sign > 0], minlength=self.size).astype(np.int64)
        every = np.bincount(compartment, weights=count, minlength=self.size).astype(np.int64)
        self.last: Integers = np.cumsum(every)
        self.first: Integers = self.last - every
        self.middle: Integers = self.first + excitatory
        silent = np.flatnonzero(np.bincount(self.cell, weights=every, minlength=self.n_cells) == 0)
        if silent.size:
            name = names[self.population[silent[0]]]
            raise ParameterError(
                f"cells of population {name!r} have no synapses; give them excitatory synapses, and cells without "
                "dendrites somatic ones (somatic_synapses=True)"
            )
        return Banks(end - count, end, row_, width_, compartment, sign)

    @property
    def size(self) -> int:
        """Number of compartments, N."""
        return int(self.parent.size)

    @property
    def n_cells(self) -> int:
        """Number of cells, C."""
        return int(self.roots.size)

    @property
    def n_synapses(self) -> int:
        """Number of active synapses, S."""
        return int(self.last[-1])

    @property
    def n_layers(self) -> int:
        """Number of pairs of population and stage."""
        return len(self.layers)

    @property
    def n_rows(self) -> int:
        """Number of presynaptic rows: inputs, then cells."""
        return self.n_inputs + self.n_cells

    @property
    def hidden(self) -> Integers:
        """Cells that the decoder does not read."""
        return np.setdiff1d(np.arange(self.n_cells), self.readout)
