"""From a morphology and its passive membrane to a NeuroML2 file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..arguments import instance, path
from ..errors import ParameterError
from ..membrane import Passive
from ..morphology.tree import Morphology
from .neuroml_library import neuroml_library
from .neuroml_segments import group_of, name_for, segments_of

NOTES = "Written by dendrosim. Lengths are in um."
SPIKE = 0.0
"""mV. NeuroML wants a threshold for spikes; passive cells have none."""


def to_neuroml(morphology: Morphology, file: str | Path, passive: Passive | None = None, *, name: str = "") -> Any:
    """Write a morphology, and its passive membrane, as a NeuroML2 file.

    Parameters
    ----------
    morphology : Morphology
    file : str or Path
        Such as ``"cell.cell.nml"``; written anew if it exists.
    passive : Passive, optional
        Leak as the ion channel ``pas``, its density, specific capacitance, axial resistivity and initial potential;
        None: shape only. Spine factors multiply density and capacitance of their region's group.
    name : str, optional
        Identifier of the cell; by default the morphology's name, characters that NeuroML does not allow replaced.

    Returns
    -------
    neuroml.NeuroMLDocument
        What was written.

    Raises
    ------
    MissingDependencyError
        If libNeuroML is not installed.
    ParameterError
        If an argument is of the wrong kind, the cell has no extent, or a spine factor names a region it has not.

    Notes
    -----
    Every piece between two samples is a segment, every section an unbranched group (``sao864921383``), every region a
    group such as ``basal_group``. A soma of the conventions ``point``, ``three_point`` and ``contour`` is a sphere,
    that is a segment without length; ``cylinders`` are segments. Samples that repeat the one before are left out.
    """
    instance("morphology", morphology, Morphology, "such as ds.Morphology.load('pyramidal_l5')")
    if passive is not None:
        instance("passive", passive, Passive, "such as ds.Passive(R_m=20000.0)")
        unknown = sorted(set(passive.spine_factor) - set(morphology.regions))
        if unknown:
            raise ParameterError(
                f"spine_factor names region {unknown[0]!r}; this cell has: {', '.join(morphology.regions)}"
            )
    target = path("file", file)
    thin = morphology.samples.id[~(morphology.samples.radius > 0)]
    if thin.size:
        raise ParameterError(
            f"sample {thin[0]} has radius 0 ({thin.size} such), and NeuroML wants positive diameters: load with "
            "repair='zero_radius'"
        )
    neuroml = neuroml_library()
    made = segments_of(neuroml, morphology)
    if not made.segments:
        raise ParameterError(f"{morphology.name or 'the morphology'} has no extent: nothing to write")
    own = name_for(instance("name", name, str, "text") or morphology.name or "cell")
    cell = neuroml.Cell(
        id=own,
        morphology=neuroml.Morphology(id=f"{own}_morphology", segments=made.segments, segment_groups=made.groups()),
    )
    document = neuroml.NeuroMLDocument(id=own, notes=NOTES)
    if passive is not None:
        cell.biophysical_properties = _biophysics(neuroml, own, passive, list(made.regions))
        document.ion_channel.append(
            neuroml.IonChannel(id="pas", type="ionChannelPassive", conductance="10 pS")  # of one channel; not used
        )
    document.cells.append(cell)
    try:
        with open(target, "w", encoding="utf-8") as stream:
            neuroml.writers.NeuroMLWriter.write(document, stream, close=False)
    except OSError as error:
        raise ParameterError(f"file={target!r} cannot be written: {error.strerror or error}") from error
    return document


def _biophysics(neuroml: Any, own: str, passive: Passive, regions: list[str]) -> Any:
    """Passive properties, for everything or, with spines, region by region."""
    factors = {region: passive.spine_factor.get(region, 1.0) for region in regions}
    groups = (
        {"all": 1.0}
        if set(factors.values()) == {1.0}
        else {group_of(region): factor for region, factor in factors.items()}
    )
    membrane = neuroml.MembraneProperties(
        channel_densities=[
            neuroml.ChannelDensity(
                id=f"pas_{group}",
                ion_channel="pas",
                ion="non_specific",
                cond_density=quantity(factor / passive.R_m, "S_per_cm2"),
                erev=quantity(passive.E_leak, "mV"),
                segment_groups=group,
            )
            for group, factor in groups.items()
        ],
        specific_capacitances=[
            neuroml.SpecificCapacitance(value=quantity(factor * passive.C_m, "uF_per_cm2"), segment_groups=group)
            for group, factor in groups.items()
        ],
        init_memb_potentials=[neuroml.InitMembPotential(value=quantity(passive.E_leak, "mV"))],
        spike_threshes=[neuroml.SpikeThresh(value=quantity(SPIKE, "mV"))],
    )
    inside = neuroml.IntracellularProperties(resistivities=[neuroml.Resistivity(value=quantity(passive.R_a, "ohm_cm"))])
    return neuroml.BiophysicalProperties(
        id=f"{own}_biophysics", membrane_properties=membrane, intracellular_properties=inside
    )


def quantity(value: float, unit: str) -> str:
    """A number with its unit, exactly, in a form that the schema allows."""
    return f"{float(value)!r} {unit}".replace("e+", "e")
