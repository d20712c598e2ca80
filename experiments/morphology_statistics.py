"""Statistics of the morphology study: means, rank correlations, regressions, paired effects, predictions.

Cells are the repetitions. Grown cells are independent draws; files are what their folder holds; the shipped cells are
seven examples, and no sample of anything.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from morphology_cells import DESCRIPTORS
from morphology_rules import CASES, GROUPS, MEASURES, PLACEMENTS, RULES
from numpy.typing import NDArray

from dendrosim.diagnostics import bootstrap_interval, compare_pairs, holm

Floats = NDArray[np.float64]
Row = dict[str, Any]
SETS = ("grown", "files", "shipped")
SAMPLES = 1000
"""Of every bootstrap of correlations and coefficients."""
LOGARITHMIC = ("tips", "max_path", "length", "electrotonic", "electrotonic_tips", "electrotonic_max", "resistance")
PREDICTORS = (
    "stems", "mean_order", "asymmetry", "max_path", "tortuosity", "taper", "electrotonic_tips", "electrotonic_cv",
)  # fmt: skip
"""Of the multiple regression: one of each group of descriptors that say nearly the same."""
STUDIED = ("3F", "soma_resistance")


@dataclass
class Study:
    """Tables of a folder that `morphology_study.py` has filled.

    Attributes
    ----------
    cells : dict of set to list of rows
    values : dict
        Row of fidelity.csv by (cell, direction, integration, placement, trained, rule).
    """

    cells: dict[str, list[dict[str, str]]]
    values: dict[tuple[str, ...], dict[str, str]]

    @classmethod
    def load(cls, folder: Path, groups: Sequence[str]) -> Study:
        """Read a folder; of files only those of some groups, and cells that are there twice once."""
        with (folder / "cells.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with (folder / "fidelity.csv").open(newline="", encoding="utf-8") as file:
            keys = ("cell", "direction", "integration", "placement", "trained", "rule")
            values = {tuple(row[key] for key in keys): row for row in csv.DictReader(file)}
        cells: dict[str, list[dict[str, str]]] = {name: [] for name in SETS}
        seen = set()
        for row in sorted(rows, key=lambda row: row["cell"]):
            name = {"shipped": "shipped", "file": "files"}.get(row["kind"], "grown")
            if name == "files":
                twin = (row["tips"], row["max_order"], f"{float(row['length']):.0f}")
                if row["group"] not in groups or twin in seen:
                    continue
                seen.add(twin)
            cells[name].append(row)
        return cls(cells, values)

    def column(self, name: str, descriptor: str) -> Floats:
        """A column of cells.csv, one value per cell of a set; nan where there is none."""
        return np.array([float(row[descriptor] or "nan") for row in self.cells[name]])

    def measure(
        self, name: str, case: Sequence[str], rule: str = "3F", *, placement: str = "uniform", trained: int = 0,
        measure: str = "synapses_cosine",
    ) -> Floats:  # fmt: skip
        """A measure, one value per cell of a set; nan where it is not defined."""
        key = (*case, placement, str(trained), rule)
        found = [self.values.get((row["cell"], *key), {}).get(measure, "nan") for row in self.cells[name]]
        return np.array([float(value) for value in found])


def means(study: Study) -> Iterator[Row]:
    """Cosine, scale mismatch and relative L2 of every rule over the cells of a set, inhibition being everywhere.

    Intervals are those of mean cosines of all synapses and of couplings; of the other measures, which span decades for
    some rules, medians.
    """
    for name in SETS:
        for case in CASES:
            for trained in (0, 1):
                for rule in RULES:
                    for group in GROUPS:
                        found = {
                            measure: study.measure(name, case, rule, trained=trained, measure=f"{group}_{measure}")
                            for measure in MEASURES
                        }
                        known = np.isfinite(found["cosine"])
                        if not known.any():
                            continue
                        cosine = found["cosine"][known]
                        interval = group in ("synapses", "couplings") and cosine.size > 1
                        ends = bootstrap_interval(cosine) if interval else None
                        yield {
                            "set": name, "direction": case[0], "integration": case[1], "trained": trained,
                            "rule": rule, "group": group, "n": cosine.size, "cosine": cosine.mean(),
                            "low": ends.low if ends else "", "high": ends.high if ends else "",
                            "median": np.median(cosine), "least": cosine.min(),
                            **{f"{key}_median": np.median(found[key][known]) for key in MEASURES[1:]},
                        }  # fmt: skip


def correlations(study: Study, seed: int = 0) -> Iterator[Row]:
    """Spearman correlations of the cosine with every descriptor, with bootstrap intervals; Holm over each set."""
    from scipy.stats import spearmanr

    for name in SETS[:2]:
        rows: list[Row] = []
        for case in CASES:
            for rule in STUDIED:
                y = study.measure(name, case, rule)
                for descriptor in DESCRIPTORS:
                    x = study.column(name, descriptor)
                    known = np.isfinite(x) & np.isfinite(y)
                    if known.sum() < 5 or np.ptp(x[known]) == 0.0:
                        continue
                    value, p = spearmanr(x[known], y[known])
                    low, high = resampled_ranks(x[known], y[known], seed)
                    rows.append({
                        "set": name, "direction": case[0], "integration": case[1], "rule": rule,
                        "descriptor": descriptor, "n": int(known.sum()), "spearman": value, "low": low, "high": high,
                        "p": p,
                    })  # fmt: skip
        if rows:
            adjusted = holm([row["p"] for row in rows])
            yield from ({**row, "p_holm": p, "family": len(rows)} for row, p in zip(rows, adjusted, strict=True))


def resampled_ranks(x: Floats, y: Floats, seed: int, samples: int = SAMPLES) -> tuple[float, float]:
    """95 % percentile interval of Spearman's correlation over resampled cells."""
    from scipy.stats import rankdata

    chosen = np.random.default_rng(seed).integers(x.size, size=(samples, x.size))
    a, b = (rankdata(v[chosen], axis=1) for v in (x, y))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    found = np.divide((a * b).sum(axis=1), spread, out=np.zeros(samples), where=spread > 0)
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def regressions(study: Study, seed: int = 0) -> Iterator[Row]:
    """Standardised regression of the angle between local and exact gradient on descriptors, grown cells.

    With bootstrap intervals over cells, and the variance inflation factor of every predictor.
    """
    for case in CASES:
        for rule in STUDIED:
            y = np.degrees(np.arccos(np.clip(study.measure("grown", case, rule), -1.0, 1.0)))
            x = np.stack([predictor(study, name) for name in PREDICTORS], axis=1)
            known = np.isfinite(y) & np.isfinite(x).all(axis=1)
            if known.sum() < 3 * len(PREDICTORS):
                continue
            x, y = x[known], y[known]
            found, r2 = standardised(x, y)
            rng = np.random.default_rng(seed)
            draws = [rng.integers(y.size, size=y.size) for _ in range(SAMPLES)]
            sampled = np.array([standardised(x[rows], y[rows])[0] for rows in draws])
            low, high = np.quantile(sampled, [0.025, 0.975], axis=0)
            for k, name in enumerate(PREDICTORS):
                inflation = 1.0 / (1.0 - standardised(np.delete(x, k, axis=1), x[:, k])[1])
                yield {
                    "direction": case[0], "integration": case[1], "rule": rule, "predictor": name, "n": y.size,
                    "beta": found[k], "low": low[k], "high": high[k], "vif": inflation, "r2": r2,
                    "r2_adjusted": 1.0 - (1.0 - r2) * (y.size - 1) / (y.size - len(PREDICTORS) - 1),
                }  # fmt: skip


def predictor(study: Study, name: str, of: str = "grown") -> Floats:
    """A descriptor, as its logarithm where it spans decades."""
    values = study.column(of, name)
    return np.log10(values) if name in LOGARITHMIC else values


def standardised(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Coefficients of standardised predictors (n, k) for a standardised response, and R^2."""
    a, b = ((v - v.mean(axis=0)) / np.where(v.std(axis=0) > 0, v.std(axis=0), 1.0) for v in (x, y))
    beta = np.linalg.lstsq(a, b, rcond=None)[0]
    return beta, float(1.0 - ((b - a @ beta) ** 2).sum() / (b @ b))


def effects(study: Study) -> Iterator[Row]:
    """Paired differences of the cosine of synapses, cell by cell; Holm over all of a set.

    Directions, integrations and placements under the three-factor rule; rules against it; trained against fresh cells.
    """
    for name in SETS:
        rows = [
            {"set": name, **labels, **compared}
            for labels, first, second in _pairs(study, name)
            if (compared := _compared(first, second)) is not None
        ]
        if rows:
            adjusted = holm([row["p"] for row in rows])
            yield from ({**row, "p_holm": p, "family": len(rows)} for row, p in zip(rows, adjusted, strict=True))


def _pairs(study: Study, name: str) -> Iterator[tuple[Row, Floats, Floats]]:
    def labels(effect: str, case: Sequence[str], rule: str, contrast: str) -> Row:
        return {"effect": effect, "direction": case[0], "integration": case[1], "rule": rule, "contrast": contrast}

    for how in ("shunting", "additive"):
        both = [study.measure(name, (way, how)) for way in ("directed", "reciprocal")]
        yield labels("direction", ("", how), "3F", "directed - reciprocal"), both[0], both[1]
    for way in ("reciprocal", "directed"):
        both = [study.measure(name, (way, how)) for how in ("additive", "shunting")]
        yield labels("integration", (way, ""), "3F", "additive - shunting"), both[0], both[1]
    for case in CASES:
        usual = study.measure(name, case)
        for placement in PLACEMENTS[1:]:
            other = study.measure(name, case, placement=placement)
            yield labels("placement", case, "3F", f"{placement} - uniform"), other, usual
        for rule in RULES:
            if rule not in ("exact", "3F"):
                yield labels("rule", case, rule, f"{rule} - 3F"), study.measure(name, case, rule), usual
        if case != ("directed", "additive"):
            yield labels("training", case, "3F", "trained - fresh"), study.measure(name, case, trained=1), usual


def _compared(first: Floats, second: Floats) -> Row | None:
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 2:
        return None
    found = compare_pairs(first[known], second[known])
    return {
        "n": found.n, "first": first[known].mean(), "second": second[known].mean(), "difference": found.difference.mean,
        "low": found.bootstrap.low, "high": found.bootstrap.high, "d_z": found.effect.value,
        "d_z_low": found.effect.low, "d_z_high": found.effect.high, "p": found.p,
        "p_permutation": found.p_permutation,
    }  # fmt: skip


def predictions(study: Study) -> Iterator[Row]:
    """How well cosines are known without stimuli: from the shape, from the identity, from electrotonic length alone."""
    from scipy.stats import spearmanr

    for name in SETS:
        for case in CASES:
            measured = study.measure(name, case)
            told = {
                "shape": study.column(name, f"predicted_{case[0]}"),
                "identity": study.measure(name, case, measure="identity"),
                "tanh": law(study.column(name, "electrotonic_max")),
            }
            pairs = [(source, "3F", predicted, measured) for source, predicted in told.items()]
            if case[0] == "reciprocal":
                transfer = study.column(name, "predicted_transfer")
                pairs.append(("shape", "soma_resistance", transfer, study.measure(name, case, "soma_resistance")))
            for source, rule, predicted, found in pairs:
                known = np.isfinite(predicted) & np.isfinite(found)
                if known.sum() < 3:
                    continue
                off = predicted[known] - found[known]
                varies = min(np.ptp(predicted[known]), np.ptp(found[known])) > 0
                yield {
                    "set": name, "direction": case[0], "integration": case[1], "rule": rule, "from": source,
                    "n": int(known.sum()), "mean_error": off.mean(), "mean_absolute_error": np.abs(off).mean(),
                    "largest_error": np.abs(off).max(),
                    "spearman": spearmanr(predicted[known], found[known])[0] if varies else math.nan,
                    "r2": 1.0 - (off @ off) / ((found[known] - found[known].mean()) ** 2).sum() if varies else math.nan,
                }  # fmt: skip


def law(length: Floats) -> Floats:
    """Cosine of a broadcast along a cable whose gain falls as exp(-X), with equal energies from 0 to `length`."""
    half = 0.5 * length
    return np.sqrt(np.tanh(half) / half)


def fineness(study: Study) -> Iterator[Row]:
    """How much the predicted cosine depends on the size of compartments, against those of 0.1 length constants."""
    for name in SETS:
        for way in ("reciprocal", "directed"):
            usual = study.column(name, f"predicted_{way}")
            for size in ("fine", "coarse", "section"):
                off = study.column(name, f"predicted_{way}_{size}") - usual
                if off.size:
                    yield {
                        "set": name, "direction": way, "compartments": size, "n": off.size, "mean": usual.mean(),
                        "mean_change": off.mean(), "mean_absolute_change": np.abs(off).mean(),
                        "largest_change": np.abs(off).max(),
                    }  # fmt: skip


def training(study: Study) -> Iterator[Row]:
    """Shares of the loss that are left after a short training with the broadcast and with exact credit, medians."""
    for name in SETS:
        for way, how in CASES[:3]:
            before, exact, local = (study.column(name, f"{way}_{how}_{when}") for when in ("before", "exact", "local"))
            known = np.isfinite(before)
            if known.any():
                yield {
                    "set": name, "direction": way, "integration": how, "n": int(known.sum()),
                    "left_exact": np.median((exact / before)[known]), "left_local": np.median((local / before)[known]),
                    "local_over_exact": np.median((local / exact)[known]), "largest": (local / exact)[known].max(),
                }  # fmt: skip


def collinearity(study: Study) -> Iterator[Row]:
    """Spearman correlations between descriptors, grown cells."""
    from scipy.stats import spearmanr

    columns = np.stack([study.column("grown", name) for name in DESCRIPTORS], axis=1)
    found = spearmanr(columns).statistic
    for i, first in enumerate(DESCRIPTORS):
        for j in range(i):
            yield {"first": first, "second": DESCRIPTORS[j], "n": len(columns), "spearman": found[i, j]}


def of_cells(study: Study) -> Iterator[Row]:
    """Descriptors and cosines of grown and shipped cells one by one; nothing of single files."""
    for name in ("shipped", "grown"):
        cosines = {
            f"{way}_{how}_{rule}": study.measure(name, (way, how), rule) for way, how in CASES for rule in STUDIED
        }
        for i, row in enumerate(study.cells[name]):
            own: Row = {"cell": row["cell"], "kind": row["kind"]}
            yield own | {key: float(row[key]) for key in DESCRIPTORS} | {key: v[i] for key, v in cosines.items()}


TABLES = {
    "means": means, "correlations": correlations, "regressions": regressions, "effects": effects,
    "predictions": predictions, "fineness": fineness, "training": training,
    "collinearity": collinearity, "cells": of_cells,
}  # fmt: skip


def write(study: Study, folder: Path) -> dict[str, list[Row]]:
    """All tables as ``morphology_NAME.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, make in TABLES.items():
        made[name] = list(make(study))
        if made[name]:
            with (folder / f"morphology_{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(made[name][0]), lineterminator="\n")
                writer.writeheader()
                for row in made[name]:
                    writer.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})
    return made
