"""Reading SWC: what is legal, however odd it looks, is read to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import MorphologyError, ParameterError
from dendrosim.morphology import fields, rows
from dendrosim.morphology.samples import Samples
from dendrosim.morphology.swc import read_swc

GOOD = """\
# a cell
1 1 0 0 0 5 -1
2 3 5 0 0 1 1
3 3 20 0.1 -3e-1 .75 2
4 3 40 10 0 1. 3
5 3 40 -10 +0 1 3
"""


def load(text: str | bytes) -> Samples:
    samples, report = read_swc(text if isinstance(text, bytes) else text.encode())
    assert report.ok, str(report)
    assert samples is not None
    return samples


def same(a: Samples, b: Samples) -> bool:
    columns = ("id", "type", "xyz", "radius", "parent")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in columns)


def notes(text: str | bytes) -> tuple[str, ...]:
    report = read_swc(text if isinstance(text, bytes) else text.encode())[1]
    assert not report.warnings, str(report)
    return tuple(code for code in report.codes("note") if code != "soma-convention")


def test_good() -> None:
    samples, report = read_swc(GOOD)
    assert samples is not None
    assert report.ok
    assert not report.warnings
    assert report.codes() == ("soma-convention",)
    assert (report.n_lines, report.n_data_lines, report.n_samples) == (6, 5, 5)
    np.testing.assert_array_equal(samples.id, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(samples.type, [1, 3, 3, 3, 3])
    np.testing.assert_array_equal(samples.parent, [-1, 0, 1, 2, 2])
    np.testing.assert_array_equal(samples.xyz[2], [20.0, 0.1, -0.3])
    np.testing.assert_array_equal(samples.radius, [5.0, 1.0, 0.75, 1.0, 1.0])
    assert samples.xyz.dtype == np.float64
    assert samples.comments == ((0, "# a cell"),)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda t: t.replace("\n", "\r\n"), "line-ends"),
        (lambda t: t.replace("\n", "\r"), "line-ends"),
        (lambda t: "\N{BYTE ORDER MARK}" + t, "byte-order-mark"),
        (lambda t: t.replace("a cell", "a c\N{LATIN SMALL LETTER E WITH ACUTE}ll").encode("latin-1"), "encoding"),
        (lambda t: t.encode("utf-16"), "encoding"),
        (lambda t: t.replace("0 5 -1\n", "0 5 -1 # soma\n"), "inline-comment"),
        (lambda t: t.replace("0 5 -1\n", "0 5 -1 -1 0 0 17\n"), "extra-columns"),
        (lambda t: t.replace("2 3 5", "2.0 3.000e+000 5"), "float-integer"),
    ],
)
def test_ways_of_writing_are_noted_and_change_nothing(change: object, note: str) -> None:
    text = change(GOOD)  # type: ignore[operator]
    assert note in notes(text)
    assert same(load(text), load(GOOD))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace(" ", "\t"),
        lambda t: t.replace("\n", "\n   \t\n"),
        lambda t: "\n".join("  \t" + line + "   " for line in t.split("\n")),
        lambda t: t.rstrip("\n"),
        lambda t: t.replace("\n2", "\n\f\n2"),
        lambda t: t.replace("# a cell", " \t# a c\N{LATIN SMALL LETTER E WITH ACUTE}ll \N{MICRO SIGN}m"),
    ],
)
def test_blanks_do_not_matter(change: object) -> None:
    text = change(GOOD)  # type: ignore[operator]
    assert notes(text) == ()
    assert same(load(text), load(GOOD))


def test_numbers_are_read_to_the_last_bit() -> None:
    values = [
        "171.5700055360794",
        "1e-300",
        "0.1",
        "-2.2250738585072014e-308",
        "123456789.123456789",
        "3.0000000000000004",
    ]
    text = f"1 1 {' '.join(values[:3])} 5 -1\n2 3 {' '.join(values[3:])} 1 1 # slow way\n"
    xyz = load(text).xyz
    assert xyz.ravel().tolist() == [float(value) for value in values]


def test_large_identifiers_are_kept_exactly() -> None:
    big = 2**53 + 1  # not a float64
    samples = load(f"{big} 1 0 0 0 5 -1\n{big + 1} 3 9 0 0 1 {big}\n7 3 20 0 0 1 {big + 1}\n")
    assert samples.id.tolist() == [big, big + 1, 7]
    assert samples.parent.tolist() == [-1, 0, 1]


def test_children_before_parents() -> None:
    text = "4 3 20 0 0 1 9\n1 1 0 0 0 5 -1\n9 3 6 0 0 1 1\n"
    samples = load(text)
    assert samples.id.tolist() == [4, 1, 9]
    assert samples.parent.tolist() == [2, -1, 1]
    assert notes(text) == ("child-before-parent", "id-order")


def test_comments_and_trailing_text_are_kept() -> None:
    samples = load("# one\n\n1 1 0 0 0 5 -1 # soma\n  # two\n2 3 9 0 0 1 1 8 9  # more\n3 3 20 0 0 1 2# tight\n# end\n")
    assert samples.comments == ((0, "# one"), (1, "# two"), (3, "# end"))
    assert samples.trailing == {0: "# soma", 1: "8 9  # more", 2: "# tight"}


def test_types_beyond_the_usual() -> None:
    types = {0: "note", 4: None, 5: "note", 6: "note", 7: "note", 8: "warning", 99: "warning"}
    for structure, severity in types.items():
        text = f"1 1 0 0 0 5 -1\n2 {structure} 9 0 0 1 1\n3 {structure} 20 0 0 1 2\n"
        samples, report = read_swc(text)
        assert samples is not None
        assert samples.type.tolist() == [1, structure, structure]
        found = {fault.severity for fault in report.faults if fault.code in ("custom-type", "unknown-type")}
        assert found == ({severity} if severity else set())


def test_parent_zero_marks_the_root_only_if_nothing_else_can_be_meant() -> None:
    samples, report = read_swc("1 1 0 0 0 5 0\n2 3 9 0 0 1 1\n3 3 20 0 0 1 2\n")
    assert samples is not None
    assert samples.parent.tolist() == [-1, 0, 1]
    assert report.codes("warning") == ("root-parent-zero",)
    samples = load("0 1 0 0 0 5 -1\n1 3 9 0 0 1 0\n2 3 20 0 0 1 1\n")  # here 0 is a sample
    assert samples.parent.tolist() == [-1, 0, 1]
    assert not read_swc("1 1 0 0 0 5 -1\n2 3 9 0 0 1 0\n")[1].ok  # here there is another root


def test_a_path_and_its_text_are_the_same(tmp_path: object) -> None:
    path = tmp_path / "cell.swc"  # type: ignore[operator]
    path.write_text(GOOD)
    samples, report = read_swc(path)
    assert samples is not None
    assert same(samples, load(GOOD))
    assert report.source == str(path)
    assert read_swc(str(path))[1].ok


def test_a_missing_file_is_an_error_that_names_it(tmp_path: object) -> None:
    with pytest.raises(MorphologyError, match=r"nothing\.swc: cannot be opened: No such file"):
        read_swc(tmp_path / "nothing.swc")  # type: ignore[operator]
    with pytest.raises(MorphologyError, match="cannot be opened: Is a directory"):
        read_swc(tmp_path)  # type: ignore[arg-type]


def test_unknown_repair_is_refused_before_reading() -> None:
    with pytest.raises(ParameterError, match=r"repair='glue' is not known; valid: 'zero_radius', 'collapse_soma'"):
        read_swc("not read\n", repair="glue")


def chain(n: int, backwards: bool = False) -> str:
    lines = [f"{i} 3 {5 + 0.5 * i} 0 0 1 {i - 1}" for i in range(2, n + 1)]
    return "\n".join(["1 1 0 0 0 5 -1", *(reversed(lines) if backwards else lines)]) + "\n"


@pytest.mark.parametrize("backwards", [False, True])
def test_deep_chain_does_not_recurse(backwards: bool) -> None:
    n = 20_000  # far beyond Python's recursion limit
    samples, report = read_swc(chain(n, backwards))
    assert samples is not None
    assert report.ok
    assert not report.warnings
    assert np.count_nonzero(samples.parent < 0) == 1
    depth = 0
    row = int(np.flatnonzero(samples.id == n)[0])
    while samples.parent[row] >= 0:
        row, depth = int(samples.parent[row]), depth + 1
    assert depth == n - 1


def test_deep_cycle_does_not_recurse() -> None:
    n = 20_000
    report = read_swc(chain(n).replace("1 1 0 0 0 5 -1", f"1 1 0 0 0 5 {n}"))[1]
    assert report.codes("error") == ("cycle",)
    assert "(20,000 samples in all)" in report.errors[0].message


def test_large_file_with_some_careful_lines() -> None:
    n = 200_000
    rng = np.random.default_rng(0)
    parent = np.maximum(np.arange(n) - rng.integers(1, 50, n), 0)
    xyz = rng.normal(size=(n, 3)) * 100.0
    lines = ["1 1 0 0 0 8 -1"]
    for i, (x, y, z) in enumerate(xyz[1:].tolist(), start=1):
        lines.append(f"{i + 1} 3 {x!r} {y!r} {z!r} 0.5 {parent[i] + 1}")
    lines[1000] += " # a comment"
    lines[150_000] = "# in between\n" + lines[150_000].replace("150001 ", "150001.0 ", 1)
    samples, report = read_swc(("\n".join(lines)).encode())
    assert samples is not None
    assert report.n_samples == n
    np.testing.assert_array_equal(samples.parent[1:], parent[1:])
    np.testing.assert_array_equal(samples.xyz[1:], xyz[1:])
    assert samples.trailing == {1000: "# a comment"}
    assert samples.comments == ((150_000, "# in between"),)
    line = {fault.code: fault.line for fault in report.faults}
    assert (line["inline-comment"], line["float-integer"]) == (1001, 150_002)


@pytest.mark.parametrize("block", [1, 40, 100, 1 << 22])
def test_blocks_do_not_show(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD + "# end\n6 3 60 0 0 1 5 # tip\n\n7 3 80 0 0 1 6.0\nbad line\n"
    monkeypatch.setattr(rows, "_BLOCK", block)
    read = rows.read_rows(text.encode(), "utf-8")
    assert read.id.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert read.line.tolist() == [2, 3, 4, 5, 6, 8, 10]
    assert read.comments == [(0, "# a cell"), (5, "# end")]
    assert read.trailing == {5: "# tip"}
    assert (read.n_lines, read.n_data_lines, read.n_unreadable) == (11, 8, 1)
    assert read.first == {"inline": 8, "floating": 10}


def test_the_careful_and_the_fast_reader_agree() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        words = [
            f"{v:.{d}{f}}" for v, d, f in zip(rng.normal(size=4) * 50, rng.integers(0, 17, 4), "efge", strict=True)
        ]
        words[3] = words[3].lstrip("-")
        line = f"7 3 {' '.join(words)} 1"
        row = fields.read_fields(line)
        assert isinstance(row, fields.Row)
        fast = rows.read_rows(line.encode(), "utf-8")
        assert [row.x, row.y, row.z] == fast.xyz[0].tolist()
        assert row.radius == fast.radius[0]


def test_a_lost_line_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(text: str) -> fields.Unreadable:
        return fields.Unreadable(None, ())

    monkeypatch.setattr(rows, "read_fields", forget)
    assert rows.read_rows(b"1 1 0 0 0\n", "utf-8").n_unreadable == 1
    real = np.count_nonzero
    monkeypatch.setattr(rows.np, "count_nonzero", lambda a: real(a) + 1)
    with pytest.raises(RuntimeError, match="internal error in the SWC reader: 2 data lines, but 0 samples and 1 lines"):
        rows.read_rows(b"1 1 0 0 0\n", "utf-8")
