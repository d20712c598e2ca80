"""From compartments to sections of NEURON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from ..arguments import instance
from ..biophysics.synapses import Synapses
from ..biophysics.time.connections import Connections, connections_given
from ..biophysics.time.inputs import Clamp, Spikes, clamps_given
from ..biophysics.time.kinetics import Instantaneous, Kinetics, per_synapse
from ..biophysics.time.mechanisms import Mechanism
from ..biophysics.time.registry import mechanisms_given
from ..errors import ParameterError
from ..morphology.compartments import Compartments, compartments_given
from . import neuron_processes as processes
from .neuron_layouts import layout_for
from .neuron_library import neuron_library
from .neuron_model import NeuronModel


class _Owner:
    """What NEURON calls the cell of a section; it prints before the section's name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


def to_neuron(
    compartments: Compartments,
    synapses: Synapses | None = None,
    inputs: Spikes | ArrayLike | None = None,
    *,
    name: str = "cell",
    layout: str | None = None,
    kinetics: str | Kinetics | Sequence[str | Kinetics] | None = None,
    mechanisms: str | Mechanism | Sequence[str | Mechanism] = (),
    current: ArrayLike | None = None,
    clamps: Clamp | Sequence[Clamp] = (),
    connections: Connections | None = None,
) -> NeuronModel:
    """Build the same model from sections of NEURON: the reciprocal cable, with synapses that are conductances.

    Parameters
    ----------
    compartments : Compartments
        One cell or a forest, in physical units.
    synapses : Synapses, optional
    inputs : array of shape (P,), or Spikes, optional
        An array is constant activity, as for `dendrosim.steady_state`: every synapse is a constant conductance. Spikes
        of one stimulus are events, and synapses have `kinetics`. None: the same without spikes; those of NEURON's own
        may open them, see `NeuronModel.processes`.
    name : str, default "cell"
        Sections are called ``name[0].basal[3]``.
    layout : {"sections", "compartments"}, optional
        ``sections``: those of the morphology, with points in space and as many segments as compartments. NEURON keeps
        points in single precision. ``compartments``: a section of one segment for every compartment, without points;
        any tree, in double precision. By default the first where all couplings are those of a morphology.
    kinetics : optional
        As for `dendrosim.simulate`: `Exponential` becomes ``ExpSyn``, `DifferenceOfExponentials` ``Exp2Syn``, `Alpha`
        an ``AlphaSynapse`` for every spike, which NEURON ends after ten time constants.
    mechanisms : optional
        `HodgkinHuxley` becomes ``hh`` without tables, at its temperature (``h.celsius``, one for all models that exist;
        `NeuronModel.simulate` sets its own), `LeakConductance` a constant conductance.
    current : array of shape (N,), optional
        Constant currents, pA.
    clamps : Clamp or sequence of Clamp, optional
        Each an ``IClamp``, or one for every interval.
    connections : Connections, optional
        ``NetCon`` from somas.

    Returns
    -------
    NeuronModel
        Keeps the sections alive, and knows which segment is which compartment.

    Raises
    ------
    MissingDependencyError
        If NEURON is not installed.
    ParameterError
        If something cannot be expressed without a compiled mod file, such as `NMDA`, `IntegrateAndFire` or a `Channel`
        of one's own; names it.

    Notes
    -----
    The soma is a cylinder as long as it is wide, of the soma's area, to which neurites connect in the middle; branch
    points are ends of sections.
    """
    cells = compartments_given("compartments", compartments)
    if not cells.physical:
        raise ParameterError("these compartments are in normalised units, which NEURON has not: it needs mV, nS and pF")
    if synapses is not None:
        instance("synapses", synapses, Synapses, "such as ds.Synapses.scatter(compartments)")
        if not synapses.made_for(cells):
            raise ParameterError("the synapses were made for another tree: make them for these compartments")
    elif inputs is not None:
        raise ParameterError("inputs drive synapses, and there are none: pass synapses=, or leave inputs out")
    constant = inputs is not None and not isinstance(inputs, Spikes)
    if isinstance(inputs, Spikes) and inputs.n_stimuli != 1:
        raise ParameterError(f"the spikes are of {inputs.n_stimuli} stimuli, and NEURON takes one at a time")
    if isinstance(inputs, Spikes) and synapses is not None and inputs.n_inputs > synapses.n_inputs:
        raise ParameterError(
            f"the spikes are of {inputs.n_inputs} inputs and the synapses have {synapses.n_inputs}; give those that "
            "drive these synapses"
        )
    if constant and connections is not None:
        raise ParameterError("connections= need synapses that spikes open: give ds.Spikes, or leave inputs out")
    instance("name", name, str, "text")
    active = mechanisms_given(mechanisms)
    clamped = clamps_given(clamps, cells.size)
    if connections is not None:
        connections_given(connections, cells, synapses, active)
    chosen = layout_for(layout, cells)
    h = neuron_library()

    sections: list[Any] = []
    segments: list[Any] = []
    grouped: dict[str, Any] = {}
    for cell in range(cells.n_cells):
        built = chosen.build(h, cells, cell, _Owner(f"{name}[{cell}]"))
        sections += built.sections
        segments += built.segments
    if any(segment is None for segment in segments):
        raise ParameterError(
            f"compartment {segments.index(None)} has no place in the sections of its morphology; "
            "layout='compartments' makes a section for every compartment"
        )
    for section in sections:
        region = section.name().rpartition(".")[2].partition("[")[0]
        grouped.setdefault(region, h.SectionList()).append(section)
    _membrane(cells, segments)
    made = processes.Processes()
    if synapses is not None and constant:
        courses, _ = per_synapse(Instantaneous() if kinetics is None else kinetics, synapses.sign)
        processes.constant_only(courses)
        activity = processes.activity_of(inputs, synapses)
        processes.add_constant_synapses(made, h, segments, synapses, activity)
    elif synapses is not None:
        courses, which = per_synapse(kinetics, synapses.sign)
        each = [courses[k] for k in which.tolist()]
        processes.add_event_synapses(made, h, segments, synapses, each, inputs if isinstance(inputs, Spikes) else None)
        if connections is not None:
            processes.add_connections(made, h, segments, cells, synapses, connections, active)
    processes.add_mechanisms(made, h, segments, cells, active)
    processes.add_clamps(made, h, segments, clamped, current, cells.size)
    return NeuronModel(h, cells, chosen.name, sections, segments, grouped, made)


def _membrane(cells: Compartments, segments: list[Any]) -> None:
    """Leak and capacitance, per area; where there is no membrane there is neither."""
    for n, segment in enumerate(segments):
        if segment.x in (0.0, 1.0):
            continue
        area = float(cells.area[n]) or float(segment.area())
        if cells.leak[n] > 0 and not segment.sec.has_membrane("pas"):
            segment.sec.insert("pas")
            for other in segment.sec:
                other.pas.g, other.pas.e = 0.0, cells.leak_reversal
        if cells.leak[n] > 0:
            segment.pas.g = float(cells.leak[n]) / area / 10.0  # 1 S/cm2 is 10 nS/um2
        segment.cm = float(cells.capacitance[n]) / area * 100.0  # 1 uF/cm2 is 0.01 pF/um2
