"""From sections of NEURON to a morphology and compartments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import mapping, short
from ..biophysics.synapses import Synapses
from ..biophysics.time.connections import Connections
from ..biophysics.time.inputs import Clamp, Spikes
from ..biophysics.time.kinetics import Kinetics
from ..biophysics.time.mechanisms import HodgkinHuxley
from ..errors import ParameterError
from ..kernels import geometry, trees
from ..membrane import Passive
from ..morphology.compartments import Compartments
from ..morphology.samples import APICAL, AXON, BASAL, SOMA, region_name
from ..morphology.tree import Morphology
from .neuron_library import neuron_library
from .neuron_membrane import Membrane, ignored, read_membrane, refuse_others, uniform
from .neuron_points import occupied, read_points
from .neuron_shape import read_shape, soma_body
from .neuron_tree import Tree, cells_of, given_sections, read_tree
from .polylines import Shape

Floats = NDArray[np.float64]

STEMS = {
    "soma": SOMA, "somatic": SOMA, "cellbody": SOMA,
    "axon": AXON, "axonal": AXON, "ais": AXON, "hillock": AXON, "iseg": AXON, "myelin": AXON, "node": AXON,
    "dend": BASAL, "dendrite": BASAL, "basal": BASAL, "basaldend": BASAL,
    "apic": APICAL, "apical": APICAL, "apicaldend": APICAL, "tuft": APICAL,
    "undefined": 0,
}  # fmt: skip
"""SWC types of the names that sections usually have; others are custom."""


@dataclass(frozen=True, eq=False)
class NeuronImport:
    """What `dendrosim.exchange.from_neuron` found.

    Attributes
    ----------
    compartments : Compartments
        NEURON's own: its areas, its axial resistances, its segments in our order.
    morphologies : tuple of Morphology
        One for each cell.
    passive : Passive or None
        Where all segments share their parameters, spines of regions apart.
    current : float array of shape (N,)
        pA, zero where all leaks have the reversal potential of ``compartments``: give it as ``current=`` and leaks to
        other potentials are exact.
    synapses : Synapses or None
        One for every NetCon, its weight the conductance; those above -40 mV are excitatory.
    kinetics : list
        Time course of each synapse.
    mechanisms : tuple of HodgkinHuxley
    clamps : tuple of Clamp
    spikes : Spikes or None
        Onsets of alpha synapses.
    connections : Connections or None
        NetCons of somas.
    sources : list of (object, float)
        What opens each input of the synapses, and the delay of its NetCons, ms: a NetStim or another artificial cell,
        the segment of a soma, an AlphaSynapse, None where there is nothing. What artificial cells fire is not read:
        give it as ds.Spikes, each time with the delay added.
    segments : list
        Segment of NEURON of each compartment; an end of a section where several meet.
    regions : dict of str to str
        Region of each name of sections.
    """

    compartments: Compartments
    morphologies: tuple[Morphology, ...]
    passive: Passive | None
    current: Floats
    synapses: Synapses | None
    kinetics: list[Kinetics]
    mechanisms: tuple[HodgkinHuxley, ...]
    clamps: tuple[Clamp, ...]
    spikes: Spikes | None
    connections: Connections | None
    sources: list[tuple[Any, float]]
    segments: list[Any]
    regions: dict[str, str]

    @property
    def morphology(self) -> Morphology:
        """The morphology of a single cell.

        Raises
        ------
        ParameterError
            If there are several.
        """
        if len(self.morphologies) != 1:
            raise ParameterError(f"there are {len(self.morphologies)} cells: take one of .morphologies")
        return self.morphologies[0]

    def __repr__(self) -> str:
        n = 0 if self.synapses is None else self.synapses.size
        return f"<NeuronImport: {self.compartments!r}, {n} synapses, {len(self.mechanisms)} mechanisms>"


def from_neuron(
    sections: Any = None, *, regions: Mapping[str, str] | None = None, ignore: str | Iterable[str] = ()
) -> NeuronImport:
    """Read cells from sections of NEURON: shape, NEURON's own compartments, membrane, synapses and clamps.

    Parameters
    ----------
    sections : iterable of h.Section, optional
        Of whole cells; by default all that exist. With points in space or without, connected anywhere.
    regions : mapping of str to str, optional
        Region of sections by name, without cell and index: ``{"trunk": "apical"}``. Known are soma, axon, dend
        (basal), apic and the like; others become custom_5, custom_6, ...
    ignore : str or iterable of str, default ()
        Mechanisms and point processes to leave out.

    Returns
    -------
    NeuronImport

    Raises
    ------
    MissingDependencyError
        If NEURON is not installed.
    ParameterError
        If there are mechanisms besides ``pas``, ``hh``, ``ExpSyn``, ``Exp2Syn``, ``AlphaSynapse`` and ``IClamp`` that
        `ignore` does not name, if cells are not whole, or a tip has no leak; or a NetCon is switched off or watches
        something that does not fire here.

    Notes
    -----
    The compartments are those of NEURON whatever the shape: a soma of several segments has several, and a branch in
    the middle of a section hangs on the compartment there. Compartments that ``morphology.compartments`` makes follow
    `dendrosim`'s own conventions. NEURON does not say what is played into variables by ``Vector.play``: clamps are read
    as they are at this moment.
    """
    h = neuron_library()
    given = given_sections(h, sections)
    left_out = ignored(h, ignore)
    refuse_others(given, left_out)
    structure, named = _structures(given, regions)
    taken = occupied(given, left_out)
    cells, shapes, owners = [], [], []
    segments: list[Any] = []
    node: dict[tuple[str, int], int] = {}
    for cell in cells_of(given):
        soma = _soma_of(cell, structure)
        body = soma_body(cell, soma, structure)
        types = {name: 0 if kind == SOMA and name not in body else kind for name, kind in structure.items()}
        tree, by_name = read_tree(cell, soma, taken), {section.hoc_internal_name(): section for section in cell}
        node.update({place: n + len(segments) for place, n in tree.alias.items()})
        segments += [_segment(by_name[name], k) for name, k in tree.place]
        cells.append(tree)
        shapes.append(read_shape(cell, soma, len(body) == 1, types))
        owners.append((cell, soma, types))
    membrane = read_membrane(h, segments, left_out)
    made, start = [], 0
    for tree, shape, (cell, soma, types) in zip(cells, shapes, owners, strict=True):
        made.append(_compartments(tree, shape, cell, soma, types, membrane, start))
        start += len(tree.place)
    whole = made[0] if len(made) == 1 else Compartments.forest(made)
    firing = {int(n) for channel in membrane.channels for n in channel.places(whole)}
    somas = {int(root): c for c, root in enumerate(whole.roots) if int(root) in firing}
    points = read_points(h, given, node, somas, left_out)
    return NeuronImport(
        compartments=whole,
        morphologies=whole.morphologies,
        passive=uniform(membrane, whole.region, [section.Ra for section in given]),
        current=membrane.current,
        synapses=points.synapses(whole),
        kinetics=points.kinetics,
        mechanisms=_with_thresholds(membrane, points.thresholds),
        clamps=tuple(points.clamps),
        spikes=points.spikes(),
        connections=points.connections(),
        sources=points.sources,
        segments=segments,
        regions=named,
    )


def _with_thresholds(membrane: Membrane, thresholds: dict[int, float]) -> tuple[HodgkinHuxley, ...]:
    """Channels, with the thresholds at which NetCons watch somas."""
    found: list[HodgkinHuxley] = []
    for channel in membrane.channels:
        at: dict[float, list[int]] = {}
        for n in channel.at:
            at.setdefault(thresholds.get(int(n), channel.threshold), []).append(int(n))
        found += [replace(channel, threshold=value, at=tuple(places)) for value, places in at.items()]
    return tuple(found)


def _segment(section: Any, k: int) -> Any:
    n = int(section.nseg)
    return section(0.0 if k < 0 else 1.0 if k == n else (k + 0.5) / n)


def _stem(section: Any) -> str:
    """Name of a section without its cell and its index."""
    return str(section.name()).rpartition(".")[2].partition("[")[0]


def _structures(sections: list[Any], regions: Mapping[str, str] | None) -> tuple[dict[str, int], dict[str, str]]:
    """SWC type of each section, and the region of each name."""
    types = {region_name(k): k for k in range(100)}
    given: dict[str, int] = {}
    for stem, region in mapping("regions", {} if regions is None else regions, "such as {'trunk': 'apical'}").items():
        if not isinstance(region, str) or region not in types:
            raise ParameterError(
                f"regions[{stem!r}]={short(region)} is no region; valid: soma, axon, basal, apical, undefined, "
                "custom_5, ..."
            )
        given[stem] = types[region]
    stems = list(dict.fromkeys(map(_stem, sections)))
    unknown = sorted(set(given) - set(stems))
    if unknown:
        raise ParameterError(f"regions names {unknown[0]!r}; these sections are called {', '.join(stems[:12])}")
    used = set(given.values())
    for stem in stems:
        if stem not in given:
            known = STEMS.get(stem.lower(), types.get(stem))
            free = next((k for k in range(5, 100) if k not in used), None) if known is None else known
            if free is None:
                raise ParameterError(
                    f"sections have more names than there are regions, {stem!r} among them; "
                    f"regions={{{stem!r}: 'basal'}} puts several into one"
                )
            given[stem] = free
            used.add(free)
    by_section = {section.hoc_internal_name(): given[_stem(section)] for section in sections}
    return by_section, {stem: region_name(kind) for stem, kind in given.items()}


def _soma_of(cell: list[Any], structure: dict[str, int]) -> Any:
    """The first section of a cell that is a soma, or None."""
    return next((section for section in cell if structure[section.hoc_internal_name()] == SOMA), None)


def _compartments(
    tree: Tree, shape: Shape, cell: list[Any], soma: Any, types: dict[str, int], membrane: Membrane, start: int
) -> Compartments:
    """Compartments of one cell with NEURON's numbers, which know the morphology that they can be drawn on."""
    n = len(tree.place)
    mine = slice(start, start + n)
    morphology = Morphology(shape.samples(), name=str(cell[0].name()).rpartition(".")[0])
    area, leak, capacitance = membrane.area[mine], membrane.leak[mine], membrane.capacitance[mine]
    tips = np.ones(n, bool)
    tips[tree.parent[tree.parent >= 0]] = False
    bare = np.flatnonzero(tips & (leak == 0))
    by_name = {section.hoc_internal_name(): section for section in cell}
    if bare.size:
        name, k = tree.place[int(bare[0])]
        raise ParameterError(
            f"{_segment(by_name[name], k)} is a tip without leak, and its voltage would be undefined: insert pas "
            "there, and put point processes inside sections, not at their ends"
        )
    length, axial, xyz = np.zeros(n), np.zeros(n), np.full((n, 3), np.nan)
    runs, points, radii, pieces, of_piece = [0], [], [], [], []
    for section in cell:
        name, count = section.hoc_internal_name(), int(section.nseg)
        line, radius = shape.points[name], shape.radii[name]
        one, whole = np.array([0, len(line)]), np.array([float(section.L)])
        _, _, before, after, middle, _ = geometry.cut_runs(one, line, radius, whole, np.array([count]))
        order = range(count - 1, -1, -1) if section.orientation() else range(count)
        nodes = [tree.alias[name, k] for k in order]
        length[nodes], axial[nodes], xyz[nodes] = whole[0] / count, (before + after) * 0.01 * section.Ra, middle
        far = tree.alias[name, -1 if section.orientation() else count]
        if far not in nodes:
            xyz[far] = line[-1]
        if section != soma or count > 1:
            runs.append(runs[-1] + len(line))
            points.append(line)
            radii.append(radius)
            pieces.append(count)
            of_piece += nodes
    if soma is not None:
        axial[0] = 0.0
    elif area[0] == 0:
        xyz[0] = shape.points[cell[0].hoc_internal_name()][0]
    length[area == 0] = axial[area == 0] = 0.0
    half = 0.5 * length
    half[0] = 0.0 if soma is not None else half[0]
    held = [_node_at(tree, by_name[name], along) for name, along in shape.arc]
    outline = (
        np.array(runs), np.concatenate(points) if points else np.empty((0, 3)),
        np.concatenate(radii) if radii else np.empty(0), np.array(pieces, np.int64), np.array(of_piece, np.int64),
    )  # fmt: skip
    return Compartments(
        tree.parent,
        leak=leak,
        coupling=np.divide(1e3, tree.resistance, out=np.zeros(n), where=tree.parent >= 0),
        capacitance=capacitance,
        region=[region_name(types[name]) for name, _ in tree.place],
        leak_reversal=membrane.reversal,
        stage=_stages(tree.parent, soma is not None or area[0] == 0),
        path_distance=trees.accumulate(tree.parent, half, half),
        area=area,
        length=length,
        xyz=xyz,
        axial_resistance=axial,
        morphologies=(morphology,),
        sample_compartment=held,
        outline=outline,
    )


def _stages(parent: NDArray[np.int64], rooted: bool) -> NDArray[np.int64]:
    """Number of branchings above; what leaves a soma, or a root that is a branch point, has one."""
    children = np.bincount(parent[parent >= 0], minlength=parent.size)
    stage = np.zeros(parent.size, np.int64)
    for n in range(1, parent.size):
        above = int(parent[n])
        stage[n] = stage[above] + (children[above] > 1 or (above == 0 and rooted))
    return stage


def _node_at(tree: Tree, section: Any, along: float) -> int:
    """Compartment of a point of a section; one on a border belongs to the piece nearer to the soma."""
    count = int(section.nseg)
    k = int(np.clip(np.ceil(along / float(section.L) * count - 1e-9) - 1, 0, count - 1))
    return tree.alias[section.hoc_internal_name(), count - 1 - k if section.orientation() else k]
