"""Cards of trained runs and of fidelities."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..diagnostics.fidelity_report import Fidelity
from ..plotting.markup import Markup, tag
from ..plotting.palette import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from ..runs.collection import Runs
from ..training.run import Run
from .card import Card, Detail, clean, count, figure
from .lines import spark
from .svg import Line, chart, drawing, label

_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE)


def run(given: Run) -> Card:
    """What was trained, how it went, and with which settings; a network that is in a file stays there."""
    config, history = given.config, given.history
    found = history.get("validation_accuracy")
    facts = {
        "task": _told(config, "task", "name"),
        "network": _told(config, "network", "kind"),
        "learning": "{} with {}, {}".format(*(_told(config, part, "name") for part in ("rule", "teaching", "loss"))),
        "epochs": f"{given.epochs:,} in {given.seconds:.3g} s, seed {_told(config, 'training', 'seed')}",
    }
    if stopped := _told(config, "training", "stopped", ""):
        facts["ended"] = stopped
    if found is not None and 0 < given.best_epoch <= len(found):
        facts["validation"] = f"accuracy {float(found[given.best_epoch - 1]):.4f} in epoch {given.best_epoch}"
    facts["test"] = f"accuracy {given.test_accuracy:.4f}, loss {figure(given.test_loss)} nat"
    facts["trained network"] = "in memory: .network" if given.trained is not None else "in its file: .network reads it"
    if given.path is not None:
        facts["file"] = str(given.path)
    rows = [[key, value] for key, value in _leaves(config)]
    details = [
        Detail("Records", ["record", "holds"], [[n, ", ".join(map(str, r))] for n, r in given.records.items()], 2),
        Detail("Settings", ["key", "value"], rows, 2, printed=False),
    ]

    def picture() -> Markup:
        epochs = np.arange(1, given.epochs + 1)
        shown = [("train_accuracy", "training", BLUE), ("validation_accuracy", "validation", VERMILLION)]
        lines = [
            Line(name, epochs, np.asarray(history[key]), color, key.startswith("train"))
            for key, name, color in shown
            if key in history
        ]
        return chart(lines, says="accuracy over the epochs", x_label="epoch", y_label="accuracy, over the epochs")

    curves = {"training": "train_accuracy", "validating": "validation_accuracy"}
    printed = {name: spark(history[key]) for name, key in curves.items() if key in history}
    return Card("Run", given.name, facts, details, [picture], printed)


def runs(given: Runs) -> Card:
    """Accuracies by arm, from what is known without reading a file."""
    rows = given.rows
    arms: dict[str, list[Any]] = {}
    for row in sorted(rows, key=lambda row: (row.number, row.seed)):
        arms.setdefault(row.arm, []).append(row)
    facts = {
        "runs": f"{len(rows):,}",
        "arms": f"{len(arms):,}",
        "tasks": ", ".join(dict.fromkeys(row.task for row in rows)) or "none",
        "time": f"{sum(row.seconds for row in rows):.3g} s in all",
    }
    table = []
    for name, members in arms.items():
        test = np.array([row.test_accuracy for row in members])
        spread = f"{test.std(ddof=1):.4f}" if test.size > 1 else ""
        best = [row.validation_accuracy for row in members if np.isfinite(row.validation_accuracy)]
        validation = f"{float(np.mean(best)):.4f}" if best else ""
        table.append([name or "unnamed", f"{test.size:,}", validation, f"{test.mean():.4f}", spread])
    head = ["arm", "runs", "validation", "test accuracy", "± sd"]
    colors = [_COLORS[i % len(_COLORS)] for i in range(len(table))]

    def picture() -> Markup:
        shown = list(arms.items())[: len(_COLORS)]
        return _dots([(name or "unnamed", [float(row.test_accuracy) for row in members]) for name, members in shown])

    return Card(
        "Runs", "", facts, [Detail("Arms", head, table, colors=colors, unfolded=True)], [picture] if arms else []
    )


def fidelity(given: Fidelity) -> Card:
    """How close a local gradient is to the exact one."""
    row = given["all"]
    facts = {
        "compared": f"{given.teaching or 'local'} {given.rule}".strip() + " with the exact gradient",
        "samples": f"{given.n_samples:,}",
        "cosine": f"{row['cosine']:.4f}",
        "scale mismatch": f"{row['scale_mismatch']:.4f}",
    }
    rows = [
        [str(r["group"]), f"{r['cosine']:.3f}", f"{r['scale_mismatch']:.3f}", f"{r['relative_l2']:.3g}", f"{r['n']:,}"]
        for r in given.table
    ]
    details = [
        Detail("Groups of parameters", ["group", "cosine", "scale mismatch", "relative L2", "parameters"], rows),
        Detail("Notes", ["note"], [[note] for note in given.notes]),
    ]
    shown = [
        (str(r["group"]), float(r["cosine"])) for r in given.table if np.isfinite(r["cosine"]) and "/" not in r["group"]
    ]
    return Card("Fidelity", "", facts, details, [lambda: _bars(shown)])


def _bars(values: list[tuple[str, float]]) -> Markup:
    """Cosines as bars about zero."""
    height = 14.0 * len(values) + 26
    middle, half = 190.0, 60.0
    made = [tag("path", d=f"M{middle:g} 0v{height - 22:g}", stroke="currentColor", opacity="0.5")]
    for i, (name, value) in enumerate(values):
        y, wide = 14.0 * i, value * half
        made.append(label(120, y + 10, clean(name, 22), "end"))
        made.append(
            tag(
                "rect",
                x=f"{min(middle, middle + wide):.1f}",
                y=f"{y + 2:g}",
                width=f"{abs(wide):.1f}",
                height="9",
                fill=BLUE,
            )
        )
    made += [label(middle + at * half, height - 10, f"{at:g}", "middle") for at in (-1, 0, 1)]
    made.append(label(middle, height, "cosine", "middle"))
    return drawing(260, height + 2, "cosine of every group of parameters", made)


def _dots(arms: list[tuple[str, list[float]]]) -> Markup:
    """Test accuracies, a row for each arm."""
    finite = [value for _, values in arms for value in values if np.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    width = (high - low) or 1.0
    height = 18.0 * len(arms) + 26
    made = [tag("path", d=f"M110 {height - 22:g}h180", stroke="currentColor", opacity="0.5")]
    for i, (name, values) in enumerate(arms):
        made.append(label(104, 18.0 * i + 12, clean(name, 18), "end"))
        for value in values[:200]:
            if np.isfinite(value):
                x = 110 + (value - low) / width * 180 if high > low else 200.0
                made.append(
                    tag(
                        "circle",
                        cx=f"{x:.1f}",
                        cy=f"{18.0 * i + 9:g}",
                        r="3",
                        fill=_COLORS[i % len(_COLORS)],
                        fill_opacity="0.6",
                    )
                )
    made += [label(110, height - 10, figure(low)), label(290, height - 10, figure(high), "end")]
    made.append(label(200, height, "test accuracy", "middle"))
    return drawing(300, height + 2, "test accuracy of every run, by arm", made)


def _told(config: Mapping[str, Any], part: str, key: str, otherwise: str = "?") -> str:
    """A setting, as far as there is one: files of others may hold anything."""
    found = config.get(part)
    return str(found.get(key, otherwise)) if isinstance(found, Mapping) else otherwise


def _leaves(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Settings by dotted key; long lists as how many there are."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        elif isinstance(value, list) and len(value) > 12:
            yield f"{before}{key}", count(len(value), "value")
        else:
            yield f"{before}{key}", value if isinstance(value, str) else json.dumps(value, default=str)
