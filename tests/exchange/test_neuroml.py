"""NeuroML2 files: valid by libNeuroML's schema, read back by libNeuroML and by ourselves with the same values."""

from __future__ import annotations

import functools
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, MissingDependencyError, MorphologyWarning, ParameterError

neuroml = pytest.importorskip("neuroml", reason='libNeuroML is not installed: pip install -e ".[neuroml]"')
etree = pytest.importorskip("lxml.etree", reason="lxml comes with libNeuroML")

SHIPPED = ("ball_and_stick", "basket", "granule", "stellate")
PASSIVE = ds.Passive(R_m=14_000.0, R_a=110.0, C_m=0.9, E_leak=-67.5, spine_factor={"basal": 1.6})
SOMAS = {
    "cylinders": "1 1 0 -6 0 4 -1\n2 1 0 0 0 6 1\n3 1 0 7 0 3 2\n4 3 0 9 0 1 3\n5 3 0 40 0 0.5 4\n6 2 5 0 0 0.5 2\n"
    "7 2 60 0 0 0.25 6\n8 3 0 -60 0 0.5 1\n9 3 0 -90 0 0.5 8",
    "cylinders both ways": "1 1 0 0 0 6 -1\n2 1 0 9 0 3 1\n3 1 0 -9 0 4 1\n4 1 0 -14 0 2 3\n5 3 0 -50 0 1 4\n"
    "6 3 0 -90 9 1 5\n7 4 0 50 0 1 2\n8 4 0 99 0 1 7",
    "three_point": "1 1 1 2 3 5 -1\n2 1 1 -3 3 5 1\n3 1 1 7 3 5 1\n4 3 8 2 3 1 1\n5 3 50 2 3 0.5 4",
    "none": "1 3 0 0 0 1.5 -1\n2 3 9 0 0 1 1\n3 3 0 50 0 0.9 1\n4 3 0 90 9 0.5 3\n5 5 -40 0 0 0.7 1\n"
    "6 0 -80 10 0 0.4 5",
    "own radius": "1 1 0 0 0 5 -1\n2 4 0 5 0 2 1\n3 4 0 50 0 2 2\n4 4 0 50 0 1 3\n5 4 9 90 0 1 4\n6 4 0 50 0 0.5 3\n"
    "7 4 -9 99 0 0.3 6",
}


def quiet(make: Any) -> ds.Morphology:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        return make()


def cells() -> list[Any]:
    shipped = [pytest.param(lambda name=name: ds.Morphology.load(name), id=name) for name in SHIPPED]
    small = [
        pytest.param(lambda text=text: quiet(lambda: ds.Morphology.from_swc(text)), id=name)
        for name, text in SOMAS.items()
    ]
    return shipped + small


@functools.cache
def schema() -> Any:
    """The schema itself, of the version that libNeuroML writes."""
    folder = Path(neuroml.__file__).parent / "nml"
    return etree.XMLSchema(etree.parse(str(folder / f"NeuroML_{neuroml.current_neuroml_version}.xsd")))


def number(text: str, unit: str) -> float:
    value, given = text.split()
    assert given == unit
    return float(value)


@pytest.mark.parametrize("make", cells())
def test_valid_and_read_back_with_the_same_values(make: Any, tmp_path: Path) -> None:
    morphology, file = make(), str(tmp_path / "cell.nml")
    passive = PASSIVE if "basal" in morphology.regions else ds.Passive(R_m=14_000.0)
    ds.exchange.to_neuroml(morphology, file, passive, name="the cell")
    from neuroml.utils import validate_neuroml2

    validate_neuroml2(file)
    assert schema().validate(etree.parse(file)), schema().error_log
    document = neuroml.loaders.read_neuroml2_file(file)
    (cell,) = document.cells
    assert cell.id == "the_cell"
    soma = morphology.soma
    segments = {segment.id: segment for segment in cell.morphology.segments}
    in_soma = set(cell.get_all_segments_in_group("soma_group")) if soma is not None else set()
    neurites = [key for key in segments if key not in in_soma]
    length = sum(cell.get_segment_length(key) for key in neurites)
    area = sum(cell.get_segment_surface_area(key) for key in segments)
    assert length == pytest.approx(morphology.total_length(), rel=1e-12)
    assert area == pytest.approx(morphology.total_area() + (0 if soma is None else soma.area), rel=1e-12)
    # every sample of a neurite that ends a piece is the end of a segment
    ends = {(s.distal.x, s.distal.y, s.distal.z, s.distal.diameter) for s in segments.values()}
    samples = morphology.samples
    for section in morphology.sections:
        for point, radius in zip(section.points[1:], section.radii[1:], strict=True):
            assert (*point, 2 * radius) in ends
    # unbranched groups are the sections
    groups = {group.id: group for group in cell.morphology.segment_groups}
    unbranched = [g for g in groups.values() if g.neuro_lex_id == "sao864921383" and not g.id.startswith("soma")]
    assert len(unbranched) == len(morphology.sections)
    lengths = [sum(cell.get_segment_length(m.segments) for m in g.members) for g in unbranched]
    np.testing.assert_allclose(lengths, morphology.sections.length, rtol=1e-12)
    assert sorted(cell.get_all_segments_in_group("all")) == sorted(segments)
    for region in set(morphology.sections.region.tolist()):
        inside = cell.get_all_segments_in_group(f"{region}_group")
        own = sum(cell.get_segment_length(key) for key in inside if key not in in_soma)
        assert own == pytest.approx(morphology.total_length(region), rel=1e-12)
    assert samples.xyz.shape[1] == 3

    inner = cell.biophysical_properties.intracellular_properties
    assert number(inner.resistivities[0].value, "ohm_cm") == passive.R_a
    membrane = cell.biophysical_properties.membrane_properties
    assert number(membrane.init_memb_potentials[0].value, "mV") == passive.E_leak
    assert {channel.id for channel in document.ion_channel} == {"pas"}
    for density, capacitance in zip(membrane.channel_densities, membrane.specific_capacitances, strict=True):
        factor = passive.spine_factor.get(density.segment_groups.removesuffix("_group"), 1.0)
        assert number(density.cond_density, "S_per_cm2") == pytest.approx(factor / passive.R_m, rel=1e-15)
        assert number(capacitance.value, "uF_per_cm2") == pytest.approx(factor * passive.C_m, rel=1e-15)
        assert number(density.erev, "mV") == passive.E_leak
        assert density.ion_channel == "pas"
        assert density.segment_groups == capacitance.segment_groups
    covered = [k for d in membrane.channel_densities for k in cell.get_all_segments_in_group(d.segment_groups)]
    assert sorted(covered) == sorted(segments)

    back = ds.exchange.from_neuroml(file)
    assert back.name == "the_cell"
    np.testing.assert_array_equal(back.sections.points, morphology.sections.points)
    np.testing.assert_array_equal(back.sections.radii, morphology.sections.radii)
    np.testing.assert_array_equal(back.sections.parent, morphology.sections.parent)
    np.testing.assert_array_equal(back.sections.region, morphology.sections.region)
    assert (back.soma is None) == (soma is None)
    if soma is not None:
        assert back.soma.area == pytest.approx(soma.area, rel=1e-14)
        np.testing.assert_allclose(back.soma.center, soma.center)
    ours, theirs = (one.compartments(passive, max_length=30.0) for one in (morphology, back))
    for array in ("parent", "leak", "coupling", "capacitance"):
        np.testing.assert_allclose(getattr(theirs, array), getattr(ours, array), rtol=1e-13)


@pytest.mark.parametrize("name", ["C010398B-P2.CNG", "ca1_n120", "grc"])
def test_reconstructions(morphology_data: Path, tmp_path: Path, name: str) -> None:
    morphology = quiet(lambda: ds.Morphology.load(morphology_data / "real" / f"{name}.swc"))
    ds.exchange.to_neuroml(morphology, tmp_path / "cell.nml", ds.Passive())
    back = ds.exchange.from_neuroml(tmp_path / "cell.nml")
    np.testing.assert_array_equal(back.sections.length, morphology.sections.length)
    np.testing.assert_array_equal(back.sections.area, morphology.sections.area)
    np.testing.assert_array_equal(back.sections.region, morphology.sections.region)
    assert back.soma.area == pytest.approx(morphology.soma.area, rel=1e-14)


def test_shape_only_and_names(tmp_path: Path) -> None:
    cell = ds.Morphology.load("granule")
    document = ds.exchange.to_neuroml(cell, tmp_path / "a.nml", name="3 cells, 1st")
    assert document.cells[0].id == "_3_cells__1st"
    assert document.cells[0].biophysical_properties is None
    assert "biophysicalProperties" not in (tmp_path / "a.nml").read_text(encoding="utf-8")


OTHERS = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="made_elsewhere">
  <cell id="first"><morphology id="m">
    <segment id="0" name="Soma"><proximal x="0" y="0" z="0" diameter="10"/>
      <distal x="10" y="0" z="0" diameter="10"/></segment>
    <segment id="3" name="d"><parent segment="0" fractionAlong="0.5"/><proximal x="5" y="5" z="0" diameter="2"/>
      <distal x="5" y="45" z="0" diameter="1"/></segment>
    <segment id="2" name="e"><parent segment="3"/><distal x="5" y="85" z="0" diameter="1"/></segment>
    <segment id="7" name="side"><parent segment="3" fractionAlong="0.25"/>
      <distal x="25" y="15" z="0" diameter="0.5"/></segment>
    <segment id="8" name="apart"><parent segment="2"/><proximal x="100" y="0" z="0" diameter="1"/>
      <distal x="100" y="30" z="0" diameter="1"/></segment>
    <segmentGroup id="Soma" neuroLexId="GO:0043025"><member segment="0"/></segmentGroup>
    <segmentGroup id="trunk"><member segment="3"/><member segment="2"/></segmentGroup>
    <segmentGroup id="apical_dendrite"><include segmentGroup="trunk"/><member segment="8"/></segmentGroup>
    <segmentGroup id="axon_group"><member segment="7"/></segmentGroup>
  </morphology></cell>
  <cell id="second"/>
</neuroml>"""


def test_files_of_others(tmp_path: Path) -> None:
    """A branch in the middle of a segment, segments without a proximal point, and one that begins elsewhere."""
    file = tmp_path / "others.nml"
    file.write_text(OTHERS, encoding="utf-8")
    with pytest.raises(ParameterError, match="holds 2 cells: give cell=, one of 'first', 'second'"):
        ds.exchange.from_neuroml(file)
    with pytest.raises(ParameterError, match="cell='third' is not in"):
        ds.exchange.from_neuroml(file, "third")
    with pytest.raises(FileFormatError, match="cell 'second' has no segments"):
        ds.exchange.from_neuroml(file, "second")
    cell = ds.exchange.from_neuroml(file, "first")
    assert cell.regions == ("soma", "axon", "apical")
    assert cell.soma.area == pytest.approx(math.pi * 10 * 10)
    assert cell.total_length("apical") == pytest.approx(110.0)
    assert cell.total_length("axon") == pytest.approx(20.0)
    at = cell.samples.xyz[(cell.samples.xyz[:, 1] == 15.0) & (cell.samples.type == 4)]
    np.testing.assert_allclose(at, [[5.0, 15.0, 0.0]])
    np.testing.assert_allclose(cell.samples.xyz[:, 1].max(), 115.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("<neuroml", "<other"), "it is no NeuroML2 file|libNeuroML cannot read it|holds no cell"),
        (("</neuroml>", ""), "libNeuroML cannot read it"),
        (
            ("<neuroml xmlns", "<!DOCTYPE neuroml [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><neuroml xmlns"),
            "document type",
        ),
        (('segment="3"/>', 'segment="33"/>'), "parent 33, which does not exist"),
        (('segment="0" fractionAlong="0.5"', 'segment="2"'), "segment . does not lead to the root"),
        (('<segment id="8"', '<segment id="2"'), "several segments have one id"),
        (('<segment id="3"', "<segment"), "a segment has no id"),
        (('<parent segment="2"/>', "<parent/>"), "the parent of segment 8 names no segment"),
        (('<member segment="7"/>', "<member/>"), "a member of the segment group 'axon_group' names no segment"),
        (('<member segment="7"/>', '<member segment="70"/>'), "a member of .* names segment 70, which does not exist"),
        (('<member segment="7"/>', '<include segmentGroup="lost"/>'), "'axon_group' includes 'lost', which does not"),
        (('<member segment="7"/>', "<path><from/></path>"), "the beginning of a path of .* names no segment"),
        (
            ('<member segment="7"/>', '<path><from segment="7"/><to segment="3"/></path>'),
            "'axon_group' has a path from segment 7 that does not lead outwards",
        ),
        (
            ('<member segment="7"/>', '<subTree><to segment="7"/></subTree>'),
            "beginning of a subtree .* names no segment",
        ),
        (('<distal x="5" y="85" z="0" diameter="1"/>', ""), "segment 2 has no distal point"),
        (('diameter="10"', 'diameter="nan"'), "segment 0 has a point that is not finite"),
        (('fractionAlong="0.25"', 'fractionAlong="1.5"'), "connects at 1.5 of its parent|libNeuroML cannot read it"),
    ],
)
def test_damaged_files(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "damaged.nml"
    file.write_text(OTHERS.replace(*change), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(FileFormatError, match=message):
            ds.exchange.from_neuroml(file, "first")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-7"])
def test_no_encoding_hides_a_document_type(tmp_path: Path, encoding: str) -> None:
    """Bytes are looked at before the parser has them: in other encodings they would not be found."""
    first = f'<?xml version="1.0" encoding="{encoding}"?>'
    kind = '<!DOCTYPE neuroml [<!ENTITY a "text">]><!-- \u656e\u7275\u6d6f\u206c -->'
    text = kind + OTHERS.replace('name="Soma"', 'name="&a;"')
    if encoding == "utf-7":
        content = first.encode() + text.encode(encoding).replace(b"<!", b"+ADwAIQ-")
    else:
        content = (first + text).encode(encoding)
    assert b"<!" not in content
    assert b"neuroml" in content
    file = tmp_path / "hidden.nml"
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match="no XML in UTF-8"):
        ds.exchange.from_neuroml(file, "first")


def file_of(tmp_path: Path, segments: str) -> Path:
    file = tmp_path / "cell.nml"
    head = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="x"><cell id="c"><morphology id="m">'
    file.write_text(f"{head}{segments}</morphology></cell></neuroml>", encoding="utf-8")
    return file


ROOT = '<segment id="0"><proximal x="0" y="0" z="0" diameter="10"/><distal x="0" y="10" z="0" diameter="10"/></segment>'


def test_a_branch_in_the_middle_of_a_segment_that_begins_exactly_on_the_soma(tmp_path: Path) -> None:
    """It begins at 0.3 of a cone of 100 um: at y = 10 + 30, and the cone is there once only."""
    cone = '<segment id="1"><parent segment="0"/><distal x="0" y="110" z="0" diameter="2"/></segment>'
    side = (
        '<segment id="2"><parent segment="1" fractionAlong="0.3"/><distal x="50" y="40" z="0" diameter="1"/></segment>'
    )
    groups = '<segmentGroup id="soma_group"><member segment="0"/></segmentGroup>'
    groups += '<segmentGroup id="dendrite_group"><member segment="1"/><member segment="2"/></segmentGroup>'
    samples = ds.exchange.from_neuroml(file_of(tmp_path, ROOT + cone + side + groups)).samples
    xyz = [[0, 0, 0], [0, 10, 0], [0, 40, 0], [0, 110, 0], [50, 40, 0]]
    np.testing.assert_array_equal(samples.xyz, xyz)
    np.testing.assert_array_equal(samples.parent, [-1, 0, 1, 2, 2])
    np.testing.assert_allclose(samples.radius, [5, 5, 5 - 0.3 * 4, 1, 0.5])


def test_a_child_of_a_segment_without_length_hangs_on_its_far_end(tmp_path: Path) -> None:
    jump = '<segment id="1"><parent segment="0"/><proximal x="0" y="10" z="0" diameter="5"/>'
    jump += '<distal x="0" y="10" z="0" diameter="3"/></segment>'
    child = '<segment id="2"><parent segment="1"/><distal x="0" y="50" z="0" diameter="1"/></segment>'
    samples = ds.exchange.from_neuroml(file_of(tmp_path, ROOT + jump + child)).samples
    np.testing.assert_array_equal(samples.radius, [5, 5, 2.5, 1.5, 0.5])
    np.testing.assert_array_equal(samples.parent, [-1, 0, 1, 2, 3])


def test_groups_by_path_and_by_subtree(tmp_path: Path) -> None:
    """NeuroML's schema: a path is what lies between two segments, inclusive; a subtree is what lies beyond one."""
    step = '<segment id="{0}"><parent segment="{1}"/><distal x="{2}" y="50" z="{0}" diameter="1"/></segment>'
    segments = ROOT + "".join(step.format(k, above, k) for k, above in ((1, 0), (2, 1), (3, 2), (4, 0), (5, 4), (6, 4)))
    groups = '<segmentGroup id="axon_group"><path><from segment="1"/><to segment="2"/></path></segmentGroup>'
    groups += '<segmentGroup id="apical_group"><subTree><from segment="4"/></subTree></segmentGroup>'
    groups += '<segmentGroup id="custom_7"><include segmentGroup="all"/></segmentGroup>'
    samples = ds.exchange.from_neuroml(file_of(tmp_path, segments + groups)).samples
    types = {int(z): int(kind) for z, kind in zip(samples.xyz[:, 2], samples.type, strict=True)}
    assert types == {0: 7, 1: 2, 2: 2, 3: 7, 4: 4, 5: 4, 6: 4}


def test_the_loader_leaves_the_filters_of_warnings_alone(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        ds.exchange.from_neuroml(file_of(tmp_path, ROOT))
        assert list(warnings.filters) == before


def test_numbers_of_numpy_as_factors(tmp_path: Path) -> None:
    cell, factor = ds.Morphology.load("granule"), np.float64(1.6)
    region = cell.regions[-1]
    passive = ds.Passive(R_m=10_000.0, spine_factor={region: factor})
    document = ds.exchange.to_neuroml(cell, tmp_path / "a.nml", passive)
    written = document.cells[0].biophysical_properties.membrane_properties.channel_densities
    assert {one.cond_density for one in written} == {"0.0001 S_per_cm2", f"{1.6 / 10_000.0} S_per_cm2"}


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ds.Morphology.load("granule")
    with pytest.raises(ParameterError, match="morphology must be Morphology"):
        ds.exchange.to_neuroml("granule", tmp_path / "a.nml")
    with pytest.raises(ParameterError, match="passive must be Passive"):
        ds.exchange.to_neuroml(cell, tmp_path / "a.nml", 20_000.0)
    with pytest.raises(ParameterError, match="spine_factor names region 'apical'; this cell has: soma"):
        ds.exchange.to_neuroml(cell, tmp_path / "a.nml", ds.Passive(spine_factor={"apical": 2.0}))
    thin = ds.Morphology.from_graph(cell.graph)
    graph = thin.graph.copy()
    graph.nodes[5]["radius"] = 0.0
    with pytest.raises(ParameterError, match=r"sample 5 has radius 0 .1 such.*zero_radius"):
        ds.exchange.to_neuroml(ds.Morphology.from_graph(graph), tmp_path / "a.nml")
    with pytest.raises(ParameterError, match="cannot be written"):
        ds.exchange.to_neuroml(cell, tmp_path / "nowhere" / "a.nml")
    with pytest.raises(ParameterError, match="cell must be str"):
        ds.exchange.from_neuroml(file_of(tmp_path, ROOT), ["c"])
    again = ROOT + '</morphology></cell><cell id="c"><morphology id="m">' + ROOT
    with pytest.raises(FileFormatError, match="several cells or morphologies have one id; it holds 'c'"):
        ds.exchange.from_neuroml(file_of(tmp_path, again))
    with pytest.raises(FileFormatError, match="it is not there"):
        ds.exchange.from_neuroml(tmp_path / "b.nml")
    monkeypatch.setitem(sys.modules, "neuroml", None)
    with pytest.raises(MissingDependencyError, match=r"libNeuroML is needed.*dendrosim\[neuroml\]"):
        ds.exchange.to_neuroml(cell, tmp_path / "a.nml")
    with pytest.raises(MissingDependencyError, match=r"libNeuroML is needed.*dendrosim\[neuroml\]"):
        ds.exchange.from_neuroml(tmp_path / "b.nml")
