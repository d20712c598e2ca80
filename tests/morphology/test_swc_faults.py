"""Reading SWC: every fault of a file, with its line and its sample, all at once."""

from __future__ import annotations

import pytest

from dendrosim.errors import MorphologyError
from dendrosim.morphology.report import Fault, Report
from dendrosim.morphology.swc import read_swc


def faults(text: str, severity: str | None = None) -> list[tuple[str, int, int | None]]:
    report = read_swc(text.encode())[1]
    return [(f.code, f.line, f.sample) for f in report.faults if severity in (None, f.severity)]


def errors(text: str) -> list[tuple[str, int, int | None]]:
    report = read_swc(text.encode())[1]
    assert not report.ok
    with pytest.raises(MorphologyError) as caught:
        report.raise_if_unusable()
    assert caught.value.report is report
    for fault in report.errors[:5]:
        assert fault.message in str(caught.value)
    return faults(text, "error")


def warned(text: str) -> list[tuple[str, int, int | None]]:
    samples, report = read_swc(text.encode())
    assert samples is not None
    assert report.ok
    return faults(text, "warning")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("2 3 20 0 0 2", "missing-columns", "6 columns where 7 are needed: id type x y z radius parent"),
        ("2", "missing-columns", "1 column where 7 are needed"),
        ("2,3,20,0,0,1,1", "wrong-separator", "commas between the columns: SWC wants blanks or tabs"),
        ("2, 3, 20, 0, 0, 1, 1", "wrong-separator", "commas between the columns"),
        ("2;3;20;0;0;1;1", "wrong-separator", "semicolons between the columns"),
        ("2 3 20,5 0 -0,1 1 1", "decimal-comma", "decimal comma in x, z (as in '20,5'): write a decimal point"),
        ("2 3 nan 0 0 1 1", "not-finite", "x is nan"),
        ("2 3 20 -inf 0 NaN 1", "not-finite", "y is -inf; radius is NaN"),
        ("2 3 20 0 0 -1 1", "negative-radius", "radius -1 is negative"),
        ('2 3 20 0 0 1 "1"', "quoted-number", 'parent "1" is in quotes: write the number alone'),
        ("2 3 20 0 zero 1 1", "not-a-number", "z 'zero' is not a number"),
        ("2 3 20 0 1-2 1 1", "not-a-number", "z '1-2' is not a number"),
        ("2 3 20 0 1e 1 1", "not-a-number", "z '1e' is not a number"),
        ("2 3 20 0 1_0 1 1", "not-a-number", "z '1_0' is not a number"),
        ("2 3 20 0 \u0661 1 1", "not-a-number", "is not a number"),
        ("2 3 20 0 0 1 one", "not-a-number", "parent 'one' is not a number"),
        ("2 3.5 20 0 0 1 1", "fractional-type", "type 3.5 is not a whole number"),
        ("2 3 20 0 0 1 1.5", "fractional-parent", "parent 1.5 is not a whole number"),
        ("2 -3 20 0 0 1 1", "negative-type", "type -3 is negative"),
        ("2 3 1e13 0 0 1 1", "out-of-range", "x 1e13 is beyond 1e+12 um"),
        ("2 3 1e999 0 0 1 1", "out-of-range", "x 1e999 is beyond 1e+12 um"),
        (f"2 3 20 0 0 1 {'9' * 50}", "out-of-range", "is too large"),
    ],
)
def test_lines_that_cannot_be_read(line: str, code: str, words: str) -> None:
    text = f"# header\n1 1 0 0 0 5 -1\n{line} # fault\n3 3 40 0 0 1 2\n"
    samples, report = read_swc(text.encode())
    assert samples is None
    (fault,) = report.errors  # and none for sample 3, whose parent is there but unreadable
    assert (fault.code, fault.line) == (code, 3)
    assert fault.sample == 2
    assert words in fault.message
    assert (report.n_data_lines, report.n_samples) == (3, 2)


@pytest.mark.parametrize("name", ["2.5", "-2", "nan", '"2"', "two", "9" * 25])
def test_identifiers_that_cannot_be_read(name: str) -> None:
    found = errors(f"1 1 0 0 0 5 -1\n{name} 3 20 0 0 1 1\n")
    assert found[0][1:] == (2, None)


def test_several_kinds_of_fault_in_one_line() -> None:
    assert errors("1 1 0 0 0 5 -1\n2 3.5 nan inf x -1 1\n") == [
        ("fractional-type", 2, 2),
        ("not-finite", 2, 2),
        ("not-a-number", 2, 2),
        ("negative-radius", 2, 2),
    ]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty-file", 1),
        ("\n\n", "no-samples", 2),
        ("# only\n# comments", "no-samples", 2),
        ("\ufeff", "empty-file", 1),
    ],
)
def test_nothing_in_the_file(text: str, code: str, line: int) -> None:
    assert errors(text) == [(code, line, None)]


def test_broken_text_encoding() -> None:
    report = read_swc(b"\xff\xfe1\x00 \x00\xff")[1]
    assert report.codes("error")[0] == "encoding"
    report = read_swc(b"1 1 0 0 0 5 -1\n2 3 \x00 0 0 1 1\n")[1]
    assert report.codes("error") == ("not-a-number",)


def test_duplicate_identifiers() -> None:
    text = """\
1 1 0 0 0 5 -1
7 3 5 0 0 1 1
3 3 20 0 0 1 7
7 3 40 0 0 1 1
3 3 50 0 0 1 3
7 3 60 0 0 1 1
"""
    assert errors(text)[:3] == [("duplicate-id", 4, 7), ("duplicate-id", 5, 3), ("duplicate-id", 6, 7)]
    messages = [fault.message for fault in read_swc(text)[1].errors]
    assert "id 7 was given in line 2 already" in messages[0]
    assert "id 3 was given in line 3 already" in messages[1]


def test_missing_and_own_parents() -> None:
    text = """\
1 1 0 0 0 5 -1
2 3 5 0 0 1 99
3 3 20 0 0 1 3
4 3 40 0 0 1 -2
5 3 40 0 0 1 0
"""
    assert errors(text) == [
        ("missing-parent", 2, 2),
        ("self-parent", 3, 3),
        ("missing-parent", 4, 4),
        ("missing-parent", 5, 5),
    ]
    messages = [fault.message for fault in read_swc(text)[1].errors]
    assert messages[0] == "parent 99 of sample 2 is not in the file"
    assert messages[2].endswith("a root has parent -1")


def test_cycles_list_their_members() -> None:
    text = """\
1 1 0 0 0 5 -1
2 3 6 0 0 1 4
3 3 8 0 0 1 2
4 3 9 0 0 1 3
5 3 9 1 0 1 4
8 3 9 2 0 1 9
9 3 9 3 0 1 8
"""
    assert errors(text) == [("cycle", 2, 2), ("cycle", 6, 8)]
    messages = [fault.message for fault in read_swc(text)[1].errors]
    assert messages[0].endswith("in a ring: 2 -> 4 -> 3 -> 2")
    assert messages[1].endswith("in a ring: 8 -> 9 -> 8")


def test_every_root_is_listed() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 90 0 0 1 -1\n4 3 95 0 0 1 3\n5 3 50 0 0 1 -1\n"
    assert errors(text) == [("several-roots", 1, 1), ("several-roots", 3, 3), ("several-roots", 5, 5)]
    assert "sample 3 is root 2 of 3 (its tree: 2 of 5 samples)" in read_swc(text)[1].errors[1].message


def test_a_broken_file_also_tells_what_else_is_wrong() -> None:
    text = """\
1 1 0 0 0 5 -1
2 3 9 0 0 0 1
2 3 9 0 0 1 1
3 99 20 0 0 1 77
4 3 20 0 0 1 3
bad
"""
    assert faults(text) == [
        ("zero-radius", 2, 2),
        ("duplicate-id", 3, 2),
        ("missing-parent", 4, 3),
        ("unknown-type", 4, 3),
        ("zero-length-segment", 5, 4),
        ("missing-columns", 6, None),
    ]


SOMA = "1 1 0 0 0 5 -1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 3 0 0 0 1 -1\n2 3 20 0 0 1 1\n", [("no-soma", 1, 1)]),
        (SOMA + "2 3 9 0 0 0 1\n3 3 20 0 0 1 2\n", [("zero-radius", 2, 2)]),
        ("1 1 0 0 0 0 -1\n2 3 9 0 0 1 1\n3 3 20 0 0 1 2\n", [("zero-radius", 1, 1)]),
        (SOMA + "2 3 9 0 0 1 1\n3 3 9 0 0 2 2\n4 3 20 0 0 2 3\n", [("zero-length-segment", 3, 3)]),
        (SOMA + "2 3 6 0 0 1 1\n3 3 8 0 0 1 2\n4 3 109 0 0 1 3\n5 3 112 0 0 1 4\n", [("jump", 4, 4)]),
        (SOMA + "2 3 6 0 0 1 1\n3 3 8 0 0 1 2\n4 3 107 0 0 1 3\n5 3 110 0 0 1 4\n", []),
        (SOMA + "2 3 6 0 0 1 1\n3 3 26 0 0 1 2\n4 3 127 0 0 1 3\n5 3 147 0 0 1 4\n", []),  # 10 x the median is 200
        (SOMA + "2 3 16 0 0 1 1\n3 3 20 0 0 1 2\n", [("far-from-soma", 2, 2)]),
        (SOMA + "2 3 16 0 0 1 1\n", []),  # a single sample begins at the soma: there is no gap
        (SOMA + "2 3 6 0 0 1 1\n3 3 8 0 0 1 2\n4 3 9 0 0 1 3\n5 3 10 0 0 1 4\n6 3 11 0 0 9 5\n", [("fat-end", 6, 6)]),
        (SOMA + "2 99 9 0 0 1 1\n3 99 20 0 0 1 2\n", [("unknown-type", 2, 2)]),
        ("1 3 0 0 0 1 -1\n2 1 20 0 0 5 1\n3 3 26 0 0 1 2\n4 3 30 0 0 1 3\n", [("soma-not-at-root", 2, 2)]),
        (SOMA + "2 3 9 0 0 1 1\n3 1 20 0 0 1 2\n4 1 30 0 0 1 3\n", [("soma-in-pieces", 3, 3)]),
        ("1 1 0 0 0 5 -1\n2 1 0 0 0 5 1\n3 3 9 0 0 1 1\n4 3 19 0 0 1 3\n", [("soma-without-extent", 1, 1)]),
        ("1 1 0 0 0 5 -1\n2 1 0 -3 0 5 1\n3 1 0 4 0 5 1\n", [("three-point-soma", 1, 1)]),
        ("1 1 0 0 0 5 -1\n2 1 0 -5 0 8 1\n3 1 0 5 0 3 1\n", [("three-point-soma", 1, 1)]),
        ("1 1 0 4 0 5 -1\n2 1 0 -7 0 8 1\n3 1 0 9 0 3 2\n", [("three-point-soma", 1, 1)]),
        ("1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n4 3 0 7 0 1 3\n5 3 0 9 0 1 4\n", [("soma-side-point", 4, 4)]),
        ("1 1 0 0 0 5000 -1\n2 3 5000 0 0 9 1\n3 3 5050 0 0 9 2\n", [("suspicious-units", 1, 1)]),
        (SOMA + "2 3 5 0 0 50 1\n3 3 70 0 0 50 2\n", [("suspicious-units", 1, 1)]),
    ],
)
def test_warnings(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert warned(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "sample", "fix"),
    [
        (SOMA + "2 1 2 0 0 5 1\n3 1 4 2 0 5 2\n4 1 4 -2 0 5 2\n", "soma-branches", 2, "collapse_soma"),
        (SOMA + "2 3 5 0 0 1 1\n3 3 5 0 0 1 2\n", "zero-length-section", 2, "drop_zero_length_sections"),
        (SOMA + "2 3 3 0 0 1 1\n", "zero-length-section", 2, "drop_zero_length_sections"),  # within the soma
        (SOMA + "2 3 0 0 0 1 1\n", "zero-length-section", 2, "drop_zero_length_sections"),
        (
            SOMA + "2 3 9 0 0 1 1\n3 3 20 0 0 1 2\n4 3 9 0 0 1 2\n",
            "zero-length-section",
            4,
            "drop_zero_length_sections",
        ),
        ("1 3 5 0 0 1 -1\n", "zero-length-section", 1, ""),
    ],
)
def test_errors_of_meaning(text: str, code: str, sample: int, fix: str) -> None:
    samples, report = read_swc(text)
    assert samples is not None  # so that it can be repaired
    (fault,) = report.errors
    assert (fault.code, fault.sample, fault.fix) == (code, sample, fix)


def test_a_first_sample_that_branches_on_the_somas_surface_is_no_fault() -> None:
    assert warned(SOMA + "2 3 5 0 0 1 1\n3 3 20 1 0 1 2\n4 3 20 -1 0 1 2\n") == []


def test_a_cell_without_types_is_recognised() -> None:
    arms = "".join(f"{i} 1 {i} 0 0 1 {i - 2}\n" for i in range(3, 101))
    report = read_swc("1 1 0 0 0 1 -1\n2 1 1 0 0 1 1\n200 1 1 9 0 1 2\n" + arms)[1]
    (fault,) = report.errors
    assert fault.fix == "soma_at_root_only"
    assert "every sample is of type 1" in fault.message


def test_notes() -> None:
    text = SOMA + "2 3 20 0 0 1 1\n3 4 40 0 0 1 2\n4 0 60 0 0 1 3\n"
    assert faults(text, "note") == [
        ("soma-convention", 1, 1),
        ("single-sample-neurite", 2, 2),
        ("type-change", 3, 3),
        ("custom-type", 4, 4),
        ("type-change", 4, 4),
    ]
    many = SOMA + "".join(f"{i} 3 {5 + i} 0 0 1 {i - 1}\n" for i in range(2, 110))
    assert ("uniform-radius", 2, 2) in faults(many, "note")
    assert ("soma-only", 1, 1) in faults(SOMA, "note")


def test_report_in_print() -> None:
    text = SOMA + "".join(f"{i} 3 {5 + i} 0 0 0 {i - 1}\n" for i in range(2, 12))
    report = read_swc(text)[1]
    lines = str(report).split("\n")
    assert len(report.warnings) == 10  # all of them are there
    assert lines[0].startswith("<text>:2: warning zero-radius sample 2 (basal) has radius 0")
    assert lines[0].endswith("[repair: zero_radius]")
    assert lines[5] == "<text>: warning zero-radius 5 more of this kind (lines 7 to 11)"
    assert lines[-1] == "<text>: 11 samples, soma: point; 10 warnings, 1 note"
    assert len(list(report.lines(limit=None, notes=False))) == 10
    assert report.fixes == ("zero_radius",)
    assert len(report.notes) == 1


def test_error_names_faults_and_the_way_out() -> None:
    report = read_swc(SOMA + "2 3 5 0 0 0 1\n")[1]
    with pytest.raises(MorphologyError) as caught:
        report.raise_if_unusable()
    text = str(caught.value).split("\n")
    assert text[1].startswith("<text>:2: error zero-length-section the neurite that begins at sample 2")
    assert text[2].startswith("<text>:2: warning zero-radius")
    assert text[-1] == "Nothing is repaired unasked; this would help: repair=['drop_zero_length_sections']"


def test_report_of_a_format_without_lines() -> None:
    report = Report("cell.h5", tuple(Fault("odd", "warning", 0, i, f"sample {i}") for i in range(7)))
    assert list(report.lines(limit=1)) == ["cell.h5: warning odd sample 0", "cell.h5: warning odd 6 more of this kind"]
    report.raise_if_unusable()


def test_thousands_of_faults_stay_readable() -> None:
    text = "".join(f"{i} 3 0,5 0 0 1 {i - 1}\n" for i in range(1, 5001))
    report = read_swc(text)[1]
    assert len(report.errors) == 5000
    with pytest.raises(MorphologyError) as caught:
        report.raise_if_unusable()
    assert str(caught.value).count("\n") < 30
    assert "4,980 more of this kind (lines 21 to 5000)" in str(caught.value)
