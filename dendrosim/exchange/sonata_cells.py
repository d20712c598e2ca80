"""Types of SONATA nodes from cells, and back: reconstructions that other simulators build, trees that only we do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import flag
from ..errors import FileFormatError
from ..membrane import Passive
from ..morphology.compartments import Compartments
from ..morphology.discretise import from_pieces
from ..morphology.samples import Samples
from ..morphology.tree import Morphology
from .sonata_sections import outlined, section_numbers, soma_radius, written_morphology
from .sonata_write import file_name

if TYPE_CHECKING:
    from .sonata_circuit import SonataCircuit

Floats = NDArray[np.float64]

TREE, PASSIVE = "dendrosim:tree", "ctdb:Biophys1.hoc"
"""Templates: a tree of compartments as its parameters list it; the cell models of the Allen Cell Types Database."""
SECTIONS = {"soma": "soma", "axon": "axon", "basal": "dend", "apical": "apic"}
"""Regions under the names of those models."""
_MOST = 20_000_000
"""Compartments that a file may ask for in one cell."""
_PER_COMPARTMENT = ("leak", "capacitance", "stage", "path_distance", "area", "length")
PER_CELL = ("coupling", "slope", "midpoint")
"""What cells of one type may differ in; in the parameters of each node then, with the number of the compartment."""


@dataclass(eq=False)
class CellType:
    """What nodes share.

    Attributes
    ----------
    model_type, template : str
    morphology : str or None
        Name of the SWC file.
    parameters : str
        Name of the JSON file.
    content : dict
        Of that file.
    size : int
        Compartments.
    """

    model_type: str
    template: str
    morphology: str | None
    parameters: str
    content: dict[str, Any]
    size: int

    @property
    def biophysical(self) -> bool:
        """Whether other simulators can build it from morphology and densities."""
        return self.template == PASSIVE


@dataclass(eq=False)
class Types:
    """All types of a circuit's cells.

    Attributes
    ----------
    types : list of CellType
    of_cell : list of int
        Type of every cell.
    swc : dict of str to Samples
        Morphologies to write.
    """

    types: list[CellType]
    of_cell: list[int]
    swc: dict[str, Samples]


def cell_types(circuit: SonataCircuit) -> Types:
    """Sort the cells of a circuit into types.

    A cell in physical units whose conductances follow from its reconstruction and uniform densities in every region,
    and which is a reciprocal cable with conductance synapses, is ``biophysical``. Every other is a tree with listed
    conductances.
    """
    usual = (circuit.integration, circuit.direction) == ("shunting", "reciprocal") and circuit.slope is None
    found: dict[Any, int] = {}
    types: list[CellType] = []
    of_cell: list[int] = []
    shapes: dict[Any, str] = {}
    swc: dict[str, Samples] = {}
    taken: set[str] = set()
    for cell, first in zip(circuit.cells, circuit.roots.tolist(), strict=True):
        key = _key(cell)
        whole = (key, cell.coupling.tobytes())
        number = found.get(whole, found.get(key))
        if number is None:
            morphology = _shape(cell, shapes, swc)
            passive = passive_of(cell) if usual and morphology is not None else None
            label = morphology or "tree"
            if passive is not None:
                content = _biophysical(cell, passive)
                made = CellType("biophysical", PASSIVE, morphology, file_name(label, taken), content, cell.size)
                found[whole] = len(types)
            else:
                content = _listed(cell, circuit, first)
                made = CellType("point_neuron", TREE, morphology, file_name(label, taken), content, cell.size)
                found[key] = len(types)
            number = len(types)
            types.append(made)
        of_cell.append(number)
    return Types(types, of_cell, swc)


def _key(cell: Compartments) -> tuple[Any, ...]:
    """What makes two cells the same type, but for couplings and gates."""
    shape = outlined(cell)
    arrays = [cell.parent, cell.xyz, *(getattr(cell, name) for name in _PER_COMPARTMENT)]
    arrays += [] if _follows(cell) else [cell.axial_resistance]
    texts = ("\n".join(cell.region.tolist()), cell.physical, cell.leak_reversal)
    return (None if shape is None else id(shape[0]), *texts, *(array.tobytes() for array in arrays))


def _follows(cell: Compartments) -> bool:
    """Whether axial resistances are those that follow from the couplings, as they do where none are given."""
    plain = np.divide(1e3 if cell.physical else 1.0, cell.coupling, out=np.zeros(cell.size), where=cell.parent >= 0)
    return np.array_equal(plain, cell.axial_resistance)


def _shape(cell: Compartments, known: dict[Any, str], swc: dict[str, Samples]) -> str | None:
    """Name of the SWC file of a cell."""
    written = written_morphology(cell)
    if written is None or cell.morphology is None:
        return None
    samples = written[0]
    key = (samples.xyz.tobytes(), samples.radius.tobytes(), samples.type.tobytes(), samples.parent.tobytes())
    if key not in known:
        known[key] = file_name(cell.morphology.name or "morphology", set(swc))
        swc[known[key]] = samples
    return known[key]


def passive_of(cell: Compartments) -> Passive | None:
    """Membrane that makes the conductances of a reconstructed cell; None if no uniform one does.

    Parameters
    ----------
    cell : Compartments
        A single cell from a morphology with a soma.
    """
    shape = outlined(cell)
    assert shape is not None
    morphology, (_, _, radius, pieces, _) = shape
    regions = np.unique(cell.region).tolist()
    real = cell.area > 0
    if not cell.physical or not set(regions) <= set(SECTIONS) or not real.any():
        return None
    density = {r: float(np.median((cell.leak[real] / cell.area[real])[cell.region[real] == r])) for r in regions}
    specific = {
        r: float(np.median((cell.capacitance[real] / cell.area[real])[cell.region[real] == r])) for r in regions
    }
    least = min(density, key=lambda r: density[r])
    if not density[least] > 0 or not specific[least] > 0:
        return None
    plain = from_pieces(morphology, Passive(R_a=1.0), pieces, radius, soma_radius(cell))
    along = plain["axial_resistance"] > 0
    if not along.any():
        return None
    try:
        passive = Passive(
            R_m=10.0 / density[least],
            R_a=float(np.median(cell.axial_resistance[along] / plain["axial_resistance"][along])),
            C_m=100.0 * specific[least],
            E_leak=cell.leak_reversal,
            spine_factor={r: max(1.0, density[r] / density[least]) for r in regions},
        )
    except ValueError:
        return None
    again = from_pieces(morphology, passive, pieces, radius, soma_radius(cell))
    same = all(
        np.allclose(again[name], getattr(cell, name), rtol=1e-9, atol=0) for name in ("leak", "coupling", "capacitance")
    )
    return passive if same else None


def _biophysical(cell: Compartments, passive: Passive) -> dict[str, Any]:
    """Parameters in the schema of the Allen Cell Types Database: S/cm2, uF/cm2, ohm cm, mV."""
    shape = outlined(cell)
    assert shape is not None
    regions = [region for region in SECTIONS if region in cell.region]
    factor = {region: passive.spine_factor.get(region, 1.0) for region in regions}
    return {
        "passive": [
            {
                "ra": passive.R_a,
                "cm": [{"section": SECTIONS[r], "cm": passive.C_m * factor[r]} for r in regions],
                "e_pas": passive.E_leak,
            }
        ],
        "conditions": [{"v_init": passive.E_leak, "erev": []}],
        "genome": [
            {"section": SECTIONS[r], "name": "g_pas", "value": factor[r] / passive.R_m, "mechanism": ""}
            for r in regions
        ],
        "dendrosim": {"compartments_per_section": _by_number(*shape)},
    }


def _listed(cell: Compartments, circuit: SonataCircuit, first: int) -> dict[str, Any]:
    """Parameters of a tree: everything, one value per compartment."""
    shape = outlined(cell)
    content: dict[str, Any] = {
        "units": "nS, pF, um, um2, MOhm, mV" if cell.physical else "normalised: leak 1, reversal potentials 1 and 0",
        "physical": cell.physical,
        "leak_reversal": cell.leak_reversal,
        "parent": cell.parent.tolist(),
        "region": cell.region.tolist(),
        "coupling": cell.coupling.tolist(),
        **{name: getattr(cell, name).tolist() for name in _PER_COMPARTMENT},
    }
    if not _follows(cell):
        content["axial_resistance"] = cell.axial_resistance.tolist()
    if not np.isnan(cell.xyz).any():
        content["xyz"] = cell.xyz.tolist()
    if circuit.slope is not None and circuit.midpoint is not None:
        here = slice(first, first + cell.size)
        content |= {"slope": circuit.slope[here].tolist(), "midpoint": circuit.midpoint[here].tolist()}
    if shape is not None and shape[0].soma is not None:
        content["compartments_per_section"] = _by_number(*shape)
    return content


def _by_number(morphology: Morphology, outline: tuple[Any, ...]) -> list[int]:
    """Compartments of sections 1, 2, ... in SONATA's order."""
    pieces = np.zeros(len(morphology.sections), np.int64)
    pieces[section_numbers(morphology.sections.type) - 1] = outline[3]
    made: list[int] = pieces.tolist()
    return made


def cell_of(content: dict[str, Any], template: str, morphology: Morphology | None, where: str) -> Compartments:
    """The cell that parameters describe.

    Parameters
    ----------
    content : dict
        Of the JSON file.
    template : str
    morphology : Morphology or None
    where : str
        The file, for messages.

    Raises
    ------
    FileFormatError
        If they describe none.
    """
    try:
        if template == TREE:
            shape = {} if morphology is None else _cut(morphology, Passive(), content["compartments_per_section"])
            own = {name: content[name] for name in (*_PER_COMPARTMENT, "region", "coupling", "parent")}
            plain = {
                "leak_reversal": float(content["leak_reversal"]),
                "physical": flag("physical", content["physical"]),
            }
            place = {"xyz": content.get("xyz", np.nan), "axial_resistance": content.get("axial_resistance")}
            return Compartments(**{**shape, **own, **plain, **place})
        assert morphology is not None
        passive, regions = _passive(content)
        cell = Compartments(**_cut(morphology, passive, content["dendrosim"]["compartments_per_section"]))
        if set(cell.region) != regions:
            raise ValueError(f"there are densities of {sorted(regions)} and compartments of {sorted(set(cell.region))}")
        return cell
    except (KeyError, TypeError, ValueError, IndexError, AssertionError) as error:
        raise FileFormatError(
            f"{where} does not describe a cell as dendrosim writes them ({error!r}); circuits of other tools are read "
            "by libsonata"
        ) from error


def _passive(content: dict[str, Any]) -> tuple[Passive, set[str]]:
    """The membrane, and the regions that it is said for."""
    named = {section: region for region, section in SECTIONS.items()}
    leak = {named[row["section"]]: float(row["value"]) for row in content["genome"] if row["name"] == "g_pas"}
    specific = {named[row["section"]]: float(row["cm"]) for row in content["passive"][0]["cm"]}
    least = min(leak, key=lambda region: leak[region])
    factor = {region: value / leak[least] for region, value in leak.items()}
    if set(leak) != set(specific) or not all(
        np.isclose(specific[region], specific[least] * factor[region], rtol=1e-9) for region in leak
    ):
        raise ValueError("leaks and capacitances of the regions do not grow by the same factors")
    passive = Passive(
        R_m=1.0 / leak[least],
        R_a=float(content["passive"][0]["ra"]),
        C_m=specific[least],
        E_leak=float(content["passive"][0]["e_pas"]),
        spine_factor={region: max(1.0, value) for region, value in factor.items()},
    )
    return passive, set(leak)


def _cut(morphology: Morphology, passive: Passive, by_number: list[int]) -> dict[str, Any]:
    sections = morphology.sections
    number = section_numbers(sections.type)
    if len(by_number) != number.size:
        raise ValueError(f"{len(by_number)} numbers of compartments for {number.size} sections")
    pieces = np.array(by_number, np.int64)[number - 1]
    if (
        pieces.ndim != 1
        or (pieces < 0).any()
        or pieces.sum(dtype=float) > _MOST
        or not ((pieces > 0) == (sections.length > 0)).all()
    ):
        raise ValueError("compartments_per_section has impossible values")
    assert morphology.soma is not None
    return from_pieces(morphology, passive, pieces, sections.radii, morphology.soma.radius)
