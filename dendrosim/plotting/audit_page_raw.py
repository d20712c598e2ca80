"""Raw values on the audit's page: every run and layer, over training, and the same as data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..about import __version__
from ..diagnostics.evaluation import growth_rms
from ..diagnostics.evaluation_audit import Audit
from ..diagnostics.evaluation_history import EvaluationHistory
from ..diagnostics.evaluation_probes import Nudges
from ..runs.audited import QUANTITIES, AuditedArm, AuditedRun, AuditedRuns
from ..runs.baselines import is_frozen
from .audit_page_cells import cell, plural, verdict_badge
from .audit_page_verdicts import not_audited
from .markup import Column, Content, Markup, Table, fragment, tag

_LAYERS = (
    ("width", "Units", ""),
    ("activity", "|h|", ""),
    ("credit", "|a|, told", ""),
    ("growth", "Growth", "paper"),
    ("gradient_mean", "|g|, mean loss", "paper"),
    ("cosine_paper", "cos at the input, clamped", "paper"),
    ("cosine_input", "cos at the input, not clamped", "between"),
    ("growth_rms", "Growth of the r.m.s.", "corrected"),
    ("gradient_sample", "|g|, per sample", "corrected"),
    ("cosine_output", "cos at the output, not clamped", "corrected"),
)
_TIMES = ("Epoch", "Test accuracy", "Loss, nat", "|h| at the end", "Growth ρ")


def folds(audited: AuditedRuns) -> Markup:
    """A collapsible section per arm, with every run in it."""
    return fragment(_arm(i, arm) for i, arm in enumerate(audited.arms))


def _arm(number: int, arm: AuditedArm) -> Markup:
    seeds = ", ".join(str(one.seed) for one in arm.members)
    several = f"{plural(len(arm.members), 'run')}, seed{'s' * (len(arm.members) > 1)} {seeds}"
    head = tag("summary", arm.name, " ", tag("small", f"{arm.setting}: {several}"))
    inside = [_run(f"{number}-{i}", one) for i, one in enumerate(arm.members)]
    return tag("details", head, tag("div", inside, class_="within"), class_="arm")


def _run(name: str, one: AuditedRun) -> Markup:
    parts: list[Content] = [tag("h4", f"{one.arm}, seed {one.seed}")]
    if one.audit is None:
        parts.append(tag("p", not_audited(one)))
    else:
        verdicts = one.audit.verdicts
        parts += [
            tag("p", "Paper ", verdict_badge(verdicts["paper"]), " corrected ", verdict_badge(verdicts["corrected"])),
            tag("p", _baselines(one)),
            _layers(name, one, one.audit).html(),
        ]
    if one.history is not None:
        parts.append(tag("details", tag("summary", "Over training"), _history(name, one, one.history).html()))
    return fragment(parts)


def _baselines(one: AuditedRun) -> list[Content]:
    said: list[Content] = []
    for label, found in (("Frozen baseline", one.frozen), ("Backpropagation", one.exact)):
        if found is None:
            said.append(f"{label}: none. ")
        else:
            n, right = found.accuracy.n, found.accuracy.right
            said += [f"{label}: ", cell(float(found), ".4f"), f" ({right} of {n}; {found.source}). "]
    return said


def _layers(name: str, one: AuditedRun, audit: Audit) -> Table:
    """Every layer in both definitions."""
    columns = [Column("Layer"), *(Column(head, group) for _, head, group in _LAYERS)]
    columns.append(Column("Given", "corrected", numeric=False))
    if one.nudges is not None:
        columns += [Column(head, f"nudge by {one.nudges.step:g}") for head in ("Input, nat", "Output, nat")]
    title = f"Layers of {one.arm}, seed {one.seed}: N = {audit.n_samples}"
    table = Table(title, columns, name=f"layers-{name}", note=_remark(audit))
    values = _measured(audit)
    for i, given in enumerate(audit.table["given"].tolist()):
        row: list[Content] = [str(i), *(_layer_cell(key, values[key][i].item()) for key, _, _ in _LAYERS)]
        row.append("given" if given else "no" if i + 1 < audit.table.size else "n/a")
        table.rows.append([*row, *_nudge(one.nudges, i)])
    return table


def _measured(audit: Audit) -> dict[str, NDArray[Any]]:
    """Columns of the audit's table, and the corrected growth, which it keeps the largest of."""
    values = {key: audit.table[key] for key in audit.table.dtype.names or ()}
    return {**values, "growth_rms": np.append(growth_rms(audit.table), np.nan)}


def _layer_cell(key: str, value: float) -> Content:
    if key == "width":
        return str(value)
    return cell(value, "+.4f" if key.startswith("cosine") else "#.4g")


def _nudge(nudges: Nudges | None, i: int) -> list[Content]:
    if nudges is None:
        return []
    if i >= nudges.input.size:
        return ["n/a", "n/a"]
    return [cell(float(nudges.input[i]), "+.2e"), cell(float(nudges.output[i]), "+.2e")]


def _remark(audit: Audit) -> str:
    lost = float(audit.table["without_gradient"].max())
    first = (
        ""
        if np.isnan(audit.first)
        else f"What the embedding is told has a cosine of {audit.first:+.4f} with g at layer 0."
    )
    share = (
        "" if lost == 0 else f" Up to {100 * lost:.3g} % of the samples have no gradient at a layer; they are left out."
    )
    return (
        f"Rows are blocks: what each receives, and what it is told. The last is what the head receives. {first}{share}"
    )


def _history(name: str, one: AuditedRun, found: EvaluationHistory) -> Table:
    heads = [Column(head) for head in _TIMES]
    told = not is_frozen(one.run)  # blocks that are told nothing have no cosine
    for definition in ("paper", "corrected"):
        unit = "mean loss" if definition == "paper" else "per sample"
        heads.append(Column(f"|g| at the end, {unit}", definition))
        heads += [Column("Γ", definition), Column("Deep", definition)] if told else []
    table = Table(
        f"{one.arm}, seed {one.seed}, over training: N = {found.samples}",
        heads,
        name=f"times-{name}",
        note="Every layer at every time is in the data below.",
    )
    columns = [(found.epochs, "g"), (found.accuracy, ".4f"), (found.loss, "#.4g")]
    columns += [(found.series("activity", found.depth), "#.4g"), (found.rho, "#.4g")]
    for definition in ("paper", "corrected"):
        columns.append((found.reference(definition), "#.3g"))
        columns += [(found.gamma(definition), "+.3f"), (found.deep(definition), "+.3f")] if told else []
    for t in range(len(found)):
        table.rows.append([cell(float(values[t]), form) for values, form in columns])
    return table


def numbers(audited: AuditedRuns) -> dict[str, Any]:
    """Everything as data: thresholds, a row per run, per run and layer, and per run, time and layer."""
    limits = audited.thresholds
    return {
        "program": f"dendrosim {__version__}",
        "thresholds": dict(vars(limits)),
        "quantities": QUANTITIES,
        "runs": _columns(audited.table),
        "layers": _columns(audited.layers),
        "history": _columns(audited.history),
        "settings": [
            {"arm": one.arm, **{key: value for key, value in one.run.config.items() if key != "command"}}
            for one in audited
        ],
    }


def _columns(table: NDArray[Any]) -> dict[str, Any]:
    """A structured array as its names and rows."""
    return {"columns": list(table.dtype.names or ()), "rows": table.tolist()}
