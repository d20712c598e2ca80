"""Our numbers beside those of the evaluation paper: its tables 1 to 4, figures 3 and 6, appendices A and C.

    dendrosim run evaluation_resmlp --workers 2 --resume --out resmlp     (and evaluation_wide, _vit, _student)
    dendrosim audit resmlp --out resmlp-audit                             (and the others)
    python experiments/evaluation_tables.py resmlp-audit wide-audit vit-audit student-audit

Reads audit.csv and audit_layers.csv of every folder. Writes evaluation_beside_published.csv (one row per published
number) and evaluation_tables.md below experiments/results, and keeps the rows of all runs there (evaluation_runs.csv,
evaluation_layers.csv). Ours are means and standard deviations over seeds.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results"
Row = dict[str, str]


@dataclass(frozen=True)
class Published:
    """A number of the paper and the arm of ours that stands for it."""

    entry: str
    method: str
    experiment: str
    arm: str
    quantity: str
    value: float
    sd: float = math.nan


def _entries() -> list[Published]:
    """What the paper says, with the reading of its architecture that comes closest (2lin for FA, 3lin for DFA)."""
    made: list[Published] = []

    def add(
        entry: str, experiment: str, quantity: str, *values: tuple[str, str, float] | tuple[str, str, float, float]
    ) -> None:
        made.extend(Published(entry, v[0], experiment, v[1], quantity, *v[2:]) for v in values)

    wide = "evaluation_wide"
    add("table 1", wide, "accuracy", ("BP", "bp", 0.607), ("FA", "fa", 0.345), ("DFA", "dfa", 0.297),
        ("DFA", "dfa, 3lin", 0.297), ("frozen", "frozen", 0.349, 0.002))  # fmt: skip
    add("table 1", wide, "gamma", ("BP", "bp", 1.0), ("FA", "fa", 0.48), ("FA", "fa, own embedding", 0.48),
        ("DFA", "dfa", 0.19), ("DFA", "dfa, 3lin", 0.19))  # fmt: skip
    add("table 1", wide, "gap", ("BP", "bp", 0.257), ("FA", "fa", -0.004), ("DFA", "dfa", -0.052),
        ("DFA", "dfa, 3lin", -0.052))  # fmt: skip
    main, long = "evaluation_resmlp", "figures 3 and 4 (100 epochs)"
    add(long, main, "accuracy", ("DFA", "dfa", 0.306), ("DFA", "dfa, 3lin", 0.306),
        ("frozen", "frozen", 0.349, 0.002), ("frozen", "dfa, never trained blocks", 0.349, 0.002))  # fmt: skip
    add(long, main, "activity", ("FA", "fa", 1e5), ("DFA", "dfa", 5e8), ("DFA", "dfa, 3lin", 5e8))
    add(long, main, "reference", ("BP", "bp", 4e-4), ("FA", "fa", 9e-7), ("DFA", "dfa", 5e-10),
        ("DFA", "dfa, 3lin", 5e-10))  # fmt: skip
    add(long, main, "gamma", ("FA", "fa", 0.23), ("FA", "fa, own embedding", 0.23), ("DFA", "dfa", 0.10),
        ("DFA", "dfa, 3lin", 0.10), ("DFA", "dfa, never trained blocks", 0.10))  # fmt: skip
    add(long, main, "cosine of block 0", ("FA", "fa", 0.01), ("FA", "fa, own embedding", 0.01),
        ("DFA", "dfa", 0.39), ("DFA", "dfa, 3lin", 0.39), ("DFA", "dfa, never trained blocks", 0.39))  # fmt: skip
    add(long, main, "cosine of the last block", ("FA", "fa", 0.95), ("FA", "fa, own embedding", 0.95),
        ("DFA", "dfa", 0.0), ("DFA", "dfa, 3lin", 0.0))  # fmt: skip
    bridges = (("SB", "state bridge, penalty 1e-2"), ("FA", "fa, penalty 1e-2"), ("CB", "credit bridge, penalty 1e-2"),
               ("DFA", "dfa, penalty 1e-2"))  # fmt: skip
    for quantity, values, sds in (
        ("accuracy", (0.453, 0.369, 0.360, 0.360), (0.003, 0.003, 0.004, 0.002)),
        ("deep", (0.322, 0.423, 0.679, 0.152), (0.008, 0.006, 0.010, 0.013)),
        ("nudge_input", (-1.93e-3, -2.09e-4, -4.26e-4, -4.98e-5), (math.nan,) * 4),
        ("loss_change", (-0.447, -0.128, -0.121, -0.095), (math.nan,) * 4),
    ):
        add("table 3", main, quantity, *((*who, v, s) for who, v, s in zip(bridges, values, sds, strict=True)))
    for block in ("", ", 3lin"):
        for penalty, height, reference, cosine, sd in (
            (f"dfa{block}", 4e8, 5e-10, 0.0, math.nan),
            (f"dfa{block}, penalty 1e-4", 2.3e4, 5e-6, -0.016, 0.016),
            (f"dfa{block}, penalty 1e-2", math.nan, math.nan, 0.152, 0.013),
        ):
            if not math.isnan(height):
                add("figure 6", main, "activity", ("DFA", penalty, height))
                add("figure 6", main, "reference", ("DFA", penalty, reference))
            add("figure 6", main, "deep", ("DFA", penalty, cosine, sd))
        add("figure 6", main, "accuracy", ("DFA", f"dfa{block}", 0.301), ("DFA", f"dfa{block}, penalty 1e-2", 0.360))
    for penalty, height, reference, cosine in (("1e-4", 2.3e4, 5e-6, -0.016), ("1e-2", math.nan, math.nan, 0.152)):
        arm = f"dfa, 3lin, variance 1, penalty {penalty}"
        if not math.isnan(height):
            add("figure 6", main, "activity", ("DFA", arm, height))
            add("figure 6", main, "reference", ("DFA", arm, reference))
        add("figure 6", main, "deep", ("DFA", arm, cosine))
    arm = "dfa, 3lin, penalty 4e-7"
    add("figure 6", main, "activity", ("DFA, 1e-4", arm, 2.3e4))
    add("figure 6", main, "reference", ("DFA, 1e-4", arm, 5e-6))
    add("figure 6", main, "deep", ("DFA, 1e-4", arm, -0.016, 0.016))
    for arm, accuracy, sd, cosine, spread, height, reference in (
        ("fa", 0.372, 0.007, 0.325, 0.015, 9e4, 2e-6),
        ("fa, penalty 1e-4", 0.377, 0.006, 0.298, 0.031, 9e3, 1e-5),
        ("fa, penalty 1e-2", 0.369, 0.003, 0.423, 0.006, 1e4, 2e-5),
        ("fa, variance 1, penalty 1e-4", 0.377, 0.006, 0.298, 0.031, 9e3, 1e-5),
        ("fa, variance 1, penalty 1e-2", 0.369, 0.003, 0.423, 0.006, 1e4, 2e-5),
    ):
        add("appendix A", main, "accuracy", ("FA", arm, accuracy, sd))
        add("appendix A", main, "deep", ("FA", arm, cosine, spread))
        add("appendix A", main, "activity", ("FA", arm, height))
        add("appendix A", main, "reference", ("FA", arm, reference))
    add("appendix C.1", main, "accuracy", ("BP", "bp", 0.585, 0.001), ("BP", "bp, penalty 1e-2", 0.532, 0.007))
    add("appendix C.1", main, "deep", ("BP", "bp, penalty 1e-2", 1.0))
    add("appendix C.2", main, "null", ("DFA", "dfa, penalty 1e-2", -0.005, 0.018))
    vit = "evaluation_vit"
    add(
        "figure 5, ViT-Mini",
        vit,
        "accuracy",
        ("FA", "fa", 0.163),
        ("DFA", "dfa", 0.256),
        ("frozen", "frozen", 0.570, 0.003),
    )
    add("figure 5, ViT-Mini", vit, "activity", ("FA", "fa", 1e7), ("DFA", "dfa", 1e7))
    add("figure 5, ViT-Mini", vit, "reference", ("FA", "fa", 1e-9), ("DFA", "dfa", 1e-9))
    student = "evaluation_student"
    add("figure 5, StudentNet", student, "accuracy", ("BP", "bp", 0.796), ("frozen", "frozen", 0.908, 0.009))
    add("figure 5, StudentNet", student, "activity", ("FA", "fa", 1e3), ("DFA", "dfa", 1e3))
    add("figure 5, StudentNet", student, "reference", ("FA", "fa", 1e-4), ("DFA", "dfa", 1e-4))
    return made


ARCHITECTURES = (
    ("ResMLP, 2lin", "yes", "evaluation_resmlp", "fa", "dfa", "x/x", "ok/x"),
    ("ResMLP, 3lin", "yes", "evaluation_resmlp", "fa, 3lin", "dfa, 3lin", "x/x", "ok/x"),
    ("ResMLP, 3lin", "no", "evaluation_resmlp", "fa, 3lin, no terminal norm", "dfa, 3lin, no terminal norm", "x/x",
     "ok/ok"),
    ("ViT-Mini", "yes", "evaluation_vit", "fa", "dfa", "x/x", "x/x"),
    ("StudentNet", "no", "evaluation_student", "fa", "dfa", "x/x", "ok/ok"),
)  # fmt: skip
"""Table 2: architecture, terminal normalisation, arms of FA and DFA, the paper's verdicts (it marks a failure by x)."""
CASES = (
    ("case 1: DFA, d = 256, L = 4", "evaluation_resmlp", "dfa, 3lin", ("pass", "pass", "fail", "fail")),
    ("case 1, 2lin", "evaluation_resmlp", "dfa", ("pass", "pass", "fail", "fail")),
    ("case 2: FA, d = 512, L = 2", "evaluation_wide", "fa", ("pass", "pass", "pass", "fail")),
    ("BP, d = 256, L = 4", "evaluation_resmlp", "bp", ("pass", "pass", "pass", "pass")),
)
"""Table 4 (and the healthy case of table 5)."""


class Measured:
    """Rows of audited runs, by experiment and arm."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.runs: list[Row] = []
        self.layers: list[Row] = []
        for folder in folders:
            runs = _read(folder / "audit.csv")
            named = {row["arm"]: row["experiment"] for row in runs}
            self.runs += runs
            self.layers += [{"experiment": named[row["arm"]], **row} for row in _read(folder / "audit_layers.csv")]

    def rows(self, experiment: str, arm: str) -> list[Row]:
        """Runs of an arm."""
        return [row for row in self.runs if (row["experiment"], row["arm"]) == (experiment, arm)]

    def values(self, experiment: str, arm: str, quantity: str) -> np.ndarray:
        """One number per seed; cosines of blocks come from the layers."""
        if quantity.startswith("cosine of"):
            seeds = [row["seed"] for row in self.rows(experiment, arm)]
            own = [row for row in self.layers if row["arm"] == arm and row["experiment"] == experiment]
            last = max((int(row["layer"]) for row in own), default=1) - 1
            place = 0 if quantity.endswith("block 0") else last
            found = [float(row["cosine_paper"]) for row in own if int(row["layer"]) == place and row["seed"] in seeds]
        else:
            found = [float(row[quantity]) for row in self.rows(experiment, arm) if row[quantity]]
        return np.array([value for value in found if not math.isnan(value)])


def _read(path: Path) -> list[Row]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def spread(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; nan where there are too few."""
    mean = float(values.mean()) if values.size else math.nan
    return mean, float(values.std(ddof=1)) if values.size > 1 else math.nan


def said(mean: float, sd: float, quantity: str) -> str:
    """A number as tables print it."""
    if math.isnan(mean):
        return "-"
    if quantity in ("activity", "reference", "rho", "nudge_input"):
        return f"{mean:.1e}"
    return f"{mean:.3f}" + ("" if math.isnan(sd) else f" ± {sd:.3f}")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def beside(measured: Measured) -> list[Row]:
    """One row per published number."""
    rows = []
    for one in _entries():
        values = measured.values(one.experiment, one.arm, one.quantity)
        mean, sd = spread(values)
        rows.append(
            {
                "entry": one.entry, "method": one.method, "arm": one.arm, "experiment": one.experiment,
                "quantity": one.quantity, "published": f"{one.value:g}",
                "published_sd": "" if math.isnan(one.sd) else f"{one.sd:g}",
                "ours": "" if math.isnan(mean) else f"{mean:.4g}",
                "sd": "" if math.isnan(sd) else f"{sd:.2g}", "seeds": str(values.size),
            }
        )  # fmt: skip
    return rows


def markdown(measured: Measured) -> str:
    """All tables."""
    parts = []
    for entry in dict.fromkeys(one.entry for one in _entries()):
        rows = []
        for one in (one for one in _entries() if one.entry == entry):
            values = measured.values(one.experiment, one.arm, one.quantity)
            rows.append((one.method, one.arm, one.quantity.replace("_", " "), said(one.value, one.sd, one.quantity),
                         said(*spread(values), one.quantity), str(values.size)))  # fmt: skip
        parts.append(f"### {entry}\n\n" + table(("method", "our arm", "number", "paper", "ours", "n"), rows))
    rows = []
    for name, norm, experiment, fa, dfa, scale, valid in ARCHITECTURES:
        cells = []
        for quantity, check in (("rho", "D1"), ("reference", "D2")):
            marks = "/".join(flagged(measured.rows(experiment, arm), check) for arm in (fa, dfa))
            numbers = " / ".join(
                said(*spread(measured.values(experiment, arm, quantity)), quantity) for arm in (fa, dfa)
            )
            cells.append(f"{marks} ({numbers})")
        rows.append((name, norm, scale, cells[0], valid, cells[1]))
    heads = ("architecture", "terminal LN", "D1 paper", "D1 ours (rho)", "D2 paper", "D2 ours (length of g_L)")
    parts.append("### table 2 (FA / DFA)\n\n" + table(heads, rows))
    rows = []
    for name, experiment, arm, paper in CASES:
        for i, strategy in enumerate(("S0", "S1", "S2", "S3")):
            found = [row[strategy] for row in measured.rows(experiment, arm)]
            ours = ", ".join(f"{found.count(word)} x {word}" for word in dict.fromkeys(found)) or "-"
            rows.append((name, strategy, paper[i], ours))
    parts.append("### table 4\n\n" + table(("case", "strategy", "paper", "ours"), rows))
    return "\n\n".join(parts) + "\n"


def flagged(rows: Sequence[Row], check: str) -> str:
    """x where most seeds flag, ok where most do not."""
    found = [row[check] for row in rows if row[check]]
    return "-" if not found else "x" if 2 * found.count("flag") > len(found) else "ok"


def write(path: Path, rows: Sequence[Row]) -> None:
    """A CSV file with the columns of the first row."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audits", nargs="+", type=Path, metavar="DIR", help="folders that dendrosim audit wrote")
    measured = Measured(parser.parse_args().audits)
    missing = sorted(
        {f"{one.experiment}: {one.arm}" for one in _entries() if not measured.rows(one.experiment, one.arm)}
    )
    if missing:
        print(f"not among these audits: {'; '.join(missing)}", file=sys.stderr)
    write(RESULTS / "evaluation_beside_published.csv", beside(measured))
    write(RESULTS / "evaluation_runs.csv", measured.runs)
    write(RESULTS / "evaluation_layers.csv", measured.layers)
    text = markdown(measured)
    (RESULTS / "evaluation_tables.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
