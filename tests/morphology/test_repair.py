"""Repairs: only when asked, each change listed, nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import MorphologyError, ParameterError
from dendrosim.morphology.repair import REPAIRS, apply_repairs
from dendrosim.morphology.samples import Samples
from dendrosim.morphology.soma import find_soma
from dendrosim.morphology.swc import read_swc

SOMA = "1 1 0 0 0 5 -1\n"


def load(text: str) -> Samples:
    samples = read_swc(text)[0]
    assert samples is not None
    return samples


def repaired(text: str, *names: str, minimum_radius: float | None = None) -> tuple[Samples, list[str]]:
    before = load(text)
    kept = [np.array(getattr(before, name)) for name in ("id", "type", "xyz", "radius", "parent")]
    after, changes = apply_repairs(before, names, minimum_radius=minimum_radius)
    for name, old in zip(("id", "type", "xyz", "radius", "parent"), kept, strict=True):
        np.testing.assert_array_equal(getattr(before, name), old)
    assert apply_repairs(after, [name for name in names if name != "nm_to_um"])[1] == []  # once is enough
    return after, changes


def parents(samples: Samples) -> dict[int, int]:
    """Identifier of each sample's parent."""
    return {
        int(name): int(samples.id[up]) if up >= 0 else -1 for name, up in zip(samples.id, samples.parent, strict=True)
    }


@pytest.mark.parametrize("name", sorted(REPAIRS))
def test_a_sound_cell_is_left_alone(name: str) -> None:
    samples = load(SOMA + "2 3 5 0 0 1 1\n3 3 20 0 0 1 2\n4 3 30 0 0 1 3\n")
    after, changes = apply_repairs(samples, name)
    if name != "nm_to_um":  # which cannot know
        assert after is samples or parents(after) == parents(samples)
        assert changes == []


def test_unknown_names_and_values() -> None:
    samples = load(SOMA)
    with pytest.raises(ParameterError, match=r"repair='tidy' is not known; valid: 'zero_radius'.*'nm_to_um'"):
        apply_repairs(samples, ["zero_radius", "tidy"])
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match=r"minimum_radius=.* um is impossible; it must be"):
            apply_repairs(samples, "zero_radius", minimum_radius=bad)


def test_zero_radius_interpolates_along_the_path() -> None:
    after, changes = repaired(SOMA + "2 3 10 0 0 4 1\n3 3 10 3 0 0 2\n4 3 16 3 0 0 3\n5 3 16 4 0 1 4\n", "zero_radius")
    np.testing.assert_allclose(after.radius, [5, 4, 4 - 3 * 3 / 10, 4 - 3 * 9 / 10, 1])
    assert changes == ["zero_radius: sample 3: radius 0 -> 3.1 um", "zero_radius: sample 4: radius 0 -> 1.3 um"]


def test_zero_radius_at_a_branch_looks_to_the_nearest_below() -> None:
    after, _ = repaired(
        SOMA + "2 3 10 0 0 4 1\n3 3 20 0 0 0 2\n4 3 30 0 0 2 3\n5 3 20 5 0 0 3\n6 3 20 8 0 1 5\n", "zero_radius"
    )
    assert after.radius[2] == pytest.approx(4 + (1 - 4) * 10 / 18)  # sample 6 is 8 um away, sample 4 is 10
    assert after.radius[4] == pytest.approx(4 + (1 - 4) * 15 / 18)


def test_zero_radius_at_tips_and_at_the_soma() -> None:
    after, _ = repaired(SOMA + "2 3 10 0 0 4 1\n3 3 20 0 0 0 2\n4 3 30 0 0 0 3\n", "zero_radius")
    np.testing.assert_array_equal(after.radius, [5, 4, 4, 4])
    after, _ = repaired(SOMA + "2 3 10 0 0 0 1\n3 3 20 0 0 2 2\n", "zero_radius")
    np.testing.assert_array_equal(after.radius, [5, 2, 2])  # the soma's 5 um say nothing about a dendrite
    after, _ = repaired(SOMA + "2 3 10 0 0 0 1\n3 3 20 0 0 0 2\n", "zero_radius")
    np.testing.assert_array_equal(after.radius, [5, 5, 5])  # unless there is nothing else
    after, _ = repaired("1 1 0 0 0 0 -1\n2 3 10 0 0 2 1\n3 3 20 0 0 3 2\n", "zero_radius")
    np.testing.assert_array_equal(after.radius, [2, 2, 3])


def test_zero_radius_by_way_of_the_soma() -> None:
    after, _ = repaired(
        "1 1 0 0 0 0 -1\n2 3 9 0 0 0 1\n3 3 19 0 0 0 2\n4 2 -9 0 0 2 1\n5 2 -19 0 0 1 4\n", "zero_radius"
    )
    np.testing.assert_array_equal(after.radius, [2, 2, 2, 2, 1])


def test_zero_radius_between_samples_in_one_place() -> None:
    after, _ = repaired(SOMA + "2 3 10 0 0 4 1\n3 3 10 0 0 0 2\n4 3 10 0 0 2 3\n5 3 20 0 0 2 4\n", "zero_radius")
    assert after.radius[2] == 3.0


def test_zero_radius_with_a_least_radius() -> None:
    text = "1 1 0 0 0 0 -1\n2 3 10 0 0 0 1\n3 3 20 0 0 0 2\n"
    after, changes = repaired(text, "zero_radius", minimum_radius=0.25)
    np.testing.assert_array_equal(after.radius, 0.25)
    assert len(changes) == 3
    with pytest.raises(MorphologyError, match="no sample has a radius to interpolate from; give minimum_radius"):
        apply_repairs(load(text), "zero_radius")


def test_an_outline_needs_no_radii() -> None:
    text = "1 1 5 0 0 0 -1\n2 1 0 5 0 0 1\n3 1 -5 0 0 0 2\n4 1 0 -5 0 0 3\n5 3 9 0 0 1 1\n6 3 19 0 0 1 5\n"
    assert repaired(text, "zero_radius")[1] == []


def test_collapse_soma_keeps_the_area() -> None:
    text = """\
# cell
1 1 0 0 0 2 -1 # root
2 1 3 0 0 2 1
# between
3 1 6 4 0 2 2 # side
4 1 6 -4 0 2 2
5 3 9 9 0 1 3
6 3 19 9 0 1 5 # tip
7 3 -9 0 0 1 1
8 3 -19 0 0 1 7
"""
    before = find_soma(load(text))
    assert before is not None
    after, changes = repaired(text, "collapse_soma")
    soma = find_soma(after)
    assert soma is not None
    assert soma.convention == "point"
    assert soma.area == pytest.approx(before.area, rel=1e-14)
    np.testing.assert_allclose(soma.center, before.center)
    assert parents(after) == {1: -1, 5: 1, 6: 5, 7: 1, 8: 7}
    np.testing.assert_array_equal(after.xyz[1:], load(text).xyz[4:])
    assert dict(after.trailing) == {0: "# root", 2: "# tip"}
    assert after.comments == ((0, "# cell"), (1, "# between"))
    assert "now the whole soma, a sphere of radius" in changes[0]
    assert [c.removeprefix("collapse_soma: ") for c in changes[1:]] == [
        "sample 2: soma sample removed",
        "sample 3: soma sample removed",
        "sample 4: soma sample removed",
        "sample 5: parent is now 1",
    ]


def test_soma_at_root_only() -> None:
    after, changes = repaired("1 1 0 0 0 2 -1\n2 1 3 0 0 1 1\n3 1 6 4 0 1 2\n4 1 6 -4 0 1 2\n", "soma_at_root_only")
    np.testing.assert_array_equal(after.type, [1, 0, 0, 0])
    assert changes[0] == "soma_at_root_only: sample 2: type 1 -> 0"


def test_drop_zero_length_sections() -> None:
    text = (
        SOMA
        + """\
2 3 5 0 0 1 1
3 3 5 0 0 1 2
4 3 9 0 0 1 1
5 3 20 0 0 1 4
6 3 20 0 0 1 5
7 3 20 0 0 1 5
8 3 20 0 0 1 6
9 3 20 0 0 1 6
"""
    )
    assert {fault.sample for fault in read_swc(text)[1].errors} == {2, 7, 8, 9}
    after, changes = repaired(text, "drop_zero_length_sections")
    assert parents(after) == {1: -1, 4: 1, 5: 4, 6: 5}  # 6 ends a section with length once the others are gone
    assert len(changes) == 5
    assert changes[0] == "drop_zero_length_sections: sample 2: removed (basal, radius 1 um)"


def test_merge_duplicate_points() -> None:
    text = SOMA + "2 3 9 0 0 1 1\n3 3 9 0 0 2 2\n4 3 9 0 0 2 3\n5 3 20 0 0 1 4\n6 3 9 9 0 1 3\n"
    after, changes = repaired(text, "merge_duplicate_points")
    assert parents(after) == {1: -1, 2: 1, 5: 2, 6: 2}
    assert changes == [
        "merge_duplicate_points: sample 3: removed (basal, radius 2 um)",
        "merge_duplicate_points: sample 4: removed (basal, radius 2 um)",
        "merge_duplicate_points: sample 5: parent is now 2",
        "merge_duplicate_points: sample 6: parent is now 2",
    ]


def test_attach_to_soma_root() -> None:
    text = SOMA + "2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n4 3 0 7 0 1 3\n5 3 0 9 0 1 4\n"
    after, changes = repaired(text, "attach_to_soma_root")
    assert parents(after) == {1: -1, 2: 1, 3: 1, 4: 1, 5: 4}
    assert changes == ["attach_to_soma_root: sample 4: parent 3 -> 1"]


def test_reroot_at_soma() -> None:
    text = "1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n3 1 20 0 0 5 2\n4 3 30 0 0 1 3\n5 3 10 9 0 1 2\n"
    after, changes = repaired(text, "reroot_at_soma")
    assert parents(after) == {1: 2, 2: 3, 3: -1, 4: 3, 5: 2}
    np.testing.assert_array_equal(after.xyz, load(text).xyz)
    assert changes == [
        "reroot_at_soma: sample 3: now the root",
        "reroot_at_soma: sample 2: parent is now 3",
        "reroot_at_soma: sample 1: parent is now 2",
    ]


def test_nm_to_um() -> None:
    after, changes = apply_repairs(load("1 1 0 0 0 5000 -1\n2 3 5000 0 0 900 1\n3 3 9000 0 0 800 2\n"), "nm_to_um")
    np.testing.assert_array_equal(after.radius, [5.0, 0.9, 0.8])
    np.testing.assert_array_equal(after.xyz[:, 0], [0.0, 5.0, 9.0])
    assert len(changes) == 1


def test_repairs_in_a_row_while_reading() -> None:
    text = (
        "1 1 0 0 0 5 -1\n2 1 2 0 0 5 1\n3 1 4 2 0 5 2\n4 1 4 -2 0 5 2\n\n5 3 4 4 0 1 3\n6 3 9 9 0 0 3\n7 3 20 0 0 1 6\n"
    )
    samples, report = read_swc(text, repair=["collapse_soma", "drop_zero_length_sections"])
    assert samples is not None
    assert report.ok
    assert report.soma_convention == "point"
    assert samples.id.tolist() == [1, 6, 7]
    assert [change.split(":")[0] for change in report.changes].count("drop_zero_length_sections") == 1
    (fault,) = (fault for fault in report.warnings if fault.code == "zero-radius")
    assert (fault.line, fault.sample) == (7, 6)  # lines stay those of the file
    assert "changed collapse_soma: sample 2: soma sample removed" in str(report)


def test_long_runs_do_not_recurse() -> None:
    n = 20_000
    text = SOMA + "".join(f"{i} 3 {5 + i} 0 0 {int(i in (2, n))} {i - 1}\n" for i in range(2, n + 1))
    after, changes = apply_repairs(load(text), "zero_radius")
    assert len(changes) == n - 3
    np.testing.assert_allclose(after.radius[1:], 1.0)
