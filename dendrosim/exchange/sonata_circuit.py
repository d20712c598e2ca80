"""What a SONATA circuit says, in dendrosim's terms: cells, synapses, who drives them, and what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, short
from ..biophysics.direction import direction as direction_named
from ..biophysics.gates import Gate
from ..biophysics.integration import integration as integration_named
from ..biophysics.synapses import Synapses
from ..biophysics.time.connections import Connections
from ..biophysics.time.kinetics import Instantaneous, Kinetics, per_synapse
from ..errors import ParameterError
from ..morphology.compartments import Compartments
from ..networks.decoders import MLP, Linear
from ..networks.network import Network
from ..networks.neurons import Neurons

Floats = NDArray[np.float64]
KINDS = "ds.Network, ds.Neurons, or ds.Compartments with synapses="


@dataclass(frozen=True, eq=False, repr=False)
class SonataCircuit:
    """A circuit; what `to_sonata` writes and `from_sonata` reads.

    Attributes
    ----------
    cells : tuple of Compartments
        Each cell, in the order of the populations.
    populations : dict of str to range
        Cells of each node population that is simulated.
    synapses : Synapses
        On `compartments`. Inputs are the external ones; in a network of steady states the outputs of all cells follow.
    n_external : int
        External inputs: nodes of the virtual population.
    kinetics : list of Kinetics
        Time course of every synapse.
    connections : Connections or None
        Which spikes of cells arrive at which inputs.
    slope, midpoint : float arrays of shape (N,), or None
        Gates; slope 0 where there is none.
    integration, direction : str
    decoder : tuple of (array of shape (n_out, n_in), array of shape (n_out,))
        Weights and biases of the layers that read the somas; rectified between layers. Empty where somas are read.
    readout : int array of shape (n,)
        Cells that the first of them reads.
    reference, scale : float
        What is read is (a - reference) / scale, with a the soma's output.
    """

    cells: tuple[Compartments, ...]
    populations: dict[str, range]
    synapses: Synapses
    n_external: int
    kinetics: list[Kinetics]
    connections: Connections | None
    slope: Floats | None
    midpoint: Floats | None
    integration: str
    direction: str
    decoder: tuple[tuple[Floats, Floats], ...]
    readout: NDArray[np.int64]
    reference: float
    scale: float

    @cached_property
    def compartments(self) -> Compartments:
        """All cells as one forest."""
        return self.cells[0] if len(self.cells) == 1 else Compartments.forest(self.cells)

    @cached_property
    def roots(self) -> NDArray[np.int64]:
        """First compartment of every cell."""
        return np.cumsum([0, *(cell.size for cell in self.cells)])[:-1]

    @property
    def gate(self) -> Gate | None:
        """The gates, for `ds.steady_state`.

        Raises
        ------
        ParameterError
            If some compartments have a gate and others have none.
        """
        if self.slope is None or self.midpoint is None:
            return None
        if not (self.slope > 0).all():
            raise ParameterError("branch points have no gates here, which a Gate cannot say; use slope and midpoint")
        return Gate(self.slope, self.midpoint)

    def population_of(self, cell: int) -> str:
        """Name of the population that cell `cell` belongs to."""
        return next(name for name, cells in self.populations.items() if cell in cells)

    def __repr__(self) -> str:
        cells = ", ".join(f"{len(cells)} {name}" for name, cells in self.populations.items())
        return (
            f"<SonataCircuit: {cells}, {self.n_external} external inputs, {self.synapses.size} synapses; "
            f"{self.integration}, {self.direction}>"
        )


def circuit_of(model: Any, synapses: Any, options: dict[str, Any], population: str) -> SonataCircuit:
    """The circuit that a model is.

    Parameters
    ----------
    model : Network, Neurons, Compartments or SonataCircuit
    synapses : Synapses or None
        With compartments.
    options : dict
        ``connections``, ``kinetics``, ``integration``, ``direction`` and ``gate``, None where not given.
    population : str
        What cells are called that have no population.

    Raises
    ------
    ParameterError
        If the model is something else, or an option does not go with it.
    """
    given = [name for name, value in {"synapses": synapses, **options}.items() if value is not None]
    if isinstance(model, SonataCircuit | Network):
        if given:
            raise ParameterError(f"{', '.join(given)}: a {type(model).__name__} brings its own; leave it out")
        return model if isinstance(model, SonataCircuit) else _of_network(model)
    if isinstance(model, Neurons):
        wrong = [name for name in given if name not in ("connections", "kinetics")]
        if wrong:
            raise ParameterError(f"{', '.join(wrong)}: neurons bring their own; leave it out")
        decoder = ((model.decoder_weight, model.parameters["decoder_bias"]),) if model.readout == "linear" else ()
        own = {name: getattr(model, name) for name in ("integration", "direction", "gate")}
        return _of_cells(
            model.compartments, model.synapses, {**options, **own}, population, decoder, model.reference, model.scale
        )
    if not isinstance(model, Compartments):
        raise ParameterError(f"model={short(model)} is nothing that SONATA can hold; give {KINDS}")
    wired = instance("synapses", synapses, Synapses, "such as ds.Synapses.scatter(compartments)")
    if not wired.made_for(model):
        raise ParameterError("the synapses were made for other compartments; make them for these")
    return _of_cells(model, wired, options, population, (), 0.0, 1.0)


def _of_cells(
    compartments: Compartments,
    synapses: Synapses,
    options: dict[str, Any],
    population: str,
    decoder: tuple[tuple[Floats, Floats], ...],
    reference: float,
    scale: float,
) -> SonataCircuit:
    connections = options["connections"]
    if connections is not None:
        instance("connections", connections, Connections, "such as ds.Connections(cell=[0], input=[3])")
        for name, values, most in (
            ("cell", connections.cell, compartments.n_cells),
            ("input", connections.input, synapses.n_inputs),
        ):
            if (values >= most).any():
                raise ParameterError(f"connections.{name} {values.max()} does not exist; valid: 0 to {most - 1}")
    courses, which = per_synapse(options["kinetics"], synapses.sign)
    gate = options["gate"]
    slope = midpoint = None
    if gate is not None:
        gates = instance("gate", gate, Gate, "ds.Gate(slope, midpoint)")
        slope, midpoint = (a.astype(np.float64) for a in gates.arrays(compartments.size, np.dtype(np.float64)))
    return SonataCircuit(
        cells=single_cells(compartments),
        populations={population: range(compartments.n_cells)},
        synapses=synapses,
        n_external=synapses.n_inputs,
        kinetics=[courses[k] for k in which],
        connections=connections,
        slope=slope,
        midpoint=midpoint,
        integration=integration_named(_or(options["integration"], "shunting")).name,
        direction=direction_named(_or(options["direction"], "reciprocal")).name,
        decoder=decoder,
        readout=np.arange(compartments.n_cells if decoder else 0),
        reference=reference,
        scale=scale,
    )


def _or(given: Any, default: str) -> Any:
    return default if given is None else given


def _of_network(network: Network) -> SonataCircuit:
    """Weights of a normalised additive network are those after its division, with which it is an additive one."""
    layout = network.layout
    if isinstance(network.decoder, MLP):
        layers = range(len(network.decoder.hidden) + 1)
        names = [(f"decoder_weight_{i}", f"decoder_bias_{i}") for i in layers]
    else:
        instance("the network's decoder", network.decoder, Linear, "or an MLP; SONATA has no place for another")
        names = [("decoder_weight", "decoder_bias")]
    scale = np.ones(layout.size)
    if network.kind.normal:
        scale = 1.0 / network.base.astype(np.float64)
    coupling = network.coupling.astype(np.float64)
    coupling[layout.child] *= scale[layout.parent[layout.child]]
    ends = [*layout.roots[1:].tolist(), layout.size]
    cells = tuple(
        tree.with_(coupling=coupling[first:last])
        for tree, first, last in zip(layout.trees, layout.roots.tolist(), ends, strict=True)
    )
    at = np.repeat(np.arange(layout.size), layout.last - layout.first)
    synapses = Synapses(
        Compartments.forest(cells),
        at,
        network.source,
        sign=network.sign,
        conductance=network.conductance.astype(np.float64) * scale[at],
        n_inputs=layout.n_rows,
    )
    gated = bool(network.gated.any())
    counts = [p.name for p in layout.populations]
    return SonataCircuit(
        cells=cells,
        populations={name: range(*cells_of) for name, cells_of in zip(counts, layout.cells_of, strict=True)},
        synapses=synapses,
        n_external=network.n_inputs,
        kinetics=[Instantaneous()] * synapses.size,
        connections=None,
        slope=network.slope.astype(np.float64) if gated else None,
        midpoint=network.parameters["midpoint"].astype(np.float64) if gated else None,
        integration="additive" if network.kind.normal else network.integration,
        direction="directed",
        decoder=tuple(
            (network.parameters[w].astype(np.float64), network.parameters[b].astype(np.float64)) for w, b in names
        ),
        readout=layout.readout,
        reference=0.0,
        scale=1.0,
    )


def single_cells(compartments: Compartments) -> tuple[Compartments, ...]:
    """The cells of a forest, as they are now, each with its shape where it has one."""
    if compartments.n_cells == 1:
        return (compartments,)
    fields = ("leak", "coupling", "capacitance", "region", "stage", "path_distance", "area", "length", "xyz")
    ends: Sequence[int] = [*compartments.roots[1:].tolist(), compartments.size]
    made = []
    for k, (first, last) in enumerate(zip(compartments.roots.tolist(), ends, strict=True)):
        here = slice(first, last)
        parent = compartments.parent[here]
        one = compartments._cells[k] if compartments._cells else None
        made.append(
            Compartments(
                np.where(parent < 0, -1, parent - first),
                leak_reversal=compartments.leak_reversal,
                physical=compartments.physical,
                axial_resistance=compartments.axial_resistance[here],
                morphologies=one.morphologies if one is not None else (),
                sample_compartment=None if one is None else one._sample_compartment,
                outline=None if one is None else one._outline,
                **{name: getattr(compartments, name)[here] for name in fields},
            )
        )
    return tuple(made)
