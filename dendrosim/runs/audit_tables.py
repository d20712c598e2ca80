"""Tables of audited runs: for files, and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.evaluation_history import MEASURES
from ..diagnostics.evaluation_verdict import NOTICED, STRATEGIES, Verdict
from .audit_names import experiment

if TYPE_CHECKING:
    from .audited import AuditedArm, AuditedRun, AuditedRuns, Spread

_CHECKS: dict[str, Callable[[Verdict], bool | None]] = {
    "D1": lambda verdict: verdict.scale,
    "D2": lambda verdict: verdict.reference,
    "D3": lambda verdict: verdict.depth,
}
_NUDGES = {"nudge_input": "input", "nudge_output": "output", "nudge_expected": "expected"}


def run_table(audited: AuditedRuns) -> NDArray[Any]:
    """One row per run; see `AuditedRuns.table`."""
    from .audited import QUANTITIES

    rows = []
    for one in audited:
        config = one.run.config
        row: dict[str, Any] = {
            "arm": one.arm,
            "setting": one.setting,
            "experiment": experiment(one.run),
            "task": config["task"]["name"],
            "teaching": config["teaching"]["name"],
            "rule": config["rule"]["name"],
            "penalty": one.penalty,
            "seed": one.seed,
            "epochs": one.run.epochs,
        }
        row |= {name: one.value(name) for name in QUANTITIES}
        rows.append(row | _said(one))
    return _structured(rows)


def _said(one: AuditedRun) -> dict[str, str]:
    """What is no number: verdicts, checks, ways of reporting."""
    made = one.audit
    row = {"verdict": "", "verdict_corrected": ""}
    names = [*_CHECKS, "D1_corrected", "D2_corrected", "informative", "lopsided", "lopsided_corrected", *STRATEGIES]
    row |= dict.fromkeys(names, "")
    if made is not None:
        paper, corrected = made.verdicts["paper"], made.verdicts["corrected"]
        flags = {True: "flag", False: "ok", None: ""}
        row |= {"verdict": paper.word, "verdict_corrected": corrected.word}
        row |= {name: flags[check(paper)] for name, check in _CHECKS.items()}
        row |= {f"{name}_corrected": flags[_CHECKS[name](corrected)] for name in ("D1", "D2")}
        row["informative"] = {True: "yes", False: "no", None: ""}[made.informative]
        row |= {f"lopsided{end}": ("no", "yes")[made.lopsided[c]] for end, c in _ENDS.items()}
        row |= {name: NOTICED[made.strategies[name]] for name in STRATEGIES}
    source = "" if one.frozen is None else one.frozen.source
    return row | {"baseline": source or one.reasons.get("frozen", ""), "reason": one.reason}


_ENDS = {"": "paper", "_corrected": "corrected"}


def layer_table(audited: AuditedRuns) -> NDArray[Any]:
    """One row per run and layer; see `AuditedRuns.layers`."""
    rows = []
    for one in audited:
        if one.audit is None:
            continue
        names = one.audit.table.dtype.names or ()
        for i, layer in enumerate(one.audit.table):
            row = {"arm": one.arm, "seed": one.seed, **{name: layer[name].item() for name in names}}
            for name, kind in _NUDGES.items():
                moved = None if one.nudges is None else getattr(one.nudges, kind)
                row[name] = float(moved[i]) if moved is not None and i < len(moved) else math.nan
            rows.append(row)
    return _structured(rows)


def history_table(audited: AuditedRuns) -> NDArray[Any]:
    """One row per run, time and layer; see `AuditedRuns.history`."""
    rows = []
    for one in audited:
        found = one.history
        if found is None:
            continue
        columns = {name: found.series(name) for name in MEASURES[1:]}
        for t, epoch in enumerate(found.epochs.tolist()):
            same = {"arm": one.arm, "seed": one.seed, "epoch": epoch, "samples": found.samples}
            same |= {"accuracy": float(found.accuracy[t]), "loss": float(found.loss[t])}
            for layer in range(found.depth + 1):
                rows.append({**same, "layer": layer, **{name: float(c[t, layer]) for name, c in columns.items()}})
    return _structured(rows)


def _structured(rows: Sequence[dict[str, Any]]) -> NDArray[Any]:
    if not rows:
        return np.zeros(0)
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    table = np.zeros(len(rows), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def text(audited: AuditedRuns) -> str:
    """Tables by arm, baselines, what was left out, and thresholds."""
    parts = []
    for setting, arms in audited.settings.items():
        parts += [f"{setting}\n{_protocol(arms)}", _functions(arms)]
    parts = [part for part in parts if part]
    kept = [one.arm for one in audited if one.audit is not None]
    notes = [
        *_grouped("baseline", [(one.arm, one.frozen.source) for one in audited if one.frozen is not None], kept),
        *_grouped("corrected verdict", [(one.arm, told) for one in audited if (told := _other_verdict(one))]),
        *_grouped("no depth utility", _reasons(audited, "frozen")),
        *_grouped("not informative", [(one.arm, _UNINFORMATIVE) for one in audited if _uninformative(one)]),
        *_grouped("not audited", _reasons(audited, "audit")),
        *_grouped("not nudged", _reasons(audited, "nudges")),
        *_grouped("no history", _reasons(audited, "history")),
    ]
    if notes:
        parts.append("\n".join(notes))
    parts.append(_limits(audited))
    return "\n\n".join(parts)


_UNINFORMATIVE = "backpropagation does not pass the third check either: the task can be done without trained depth"


def _other_verdict(one: AuditedRun) -> str:
    """The verdict by the corrected definitions, where it is another."""
    if one.audit is None or one.audit.verdicts["paper"] == one.audit.verdicts["corrected"]:
        return ""
    return one.audit.verdicts["corrected"].short


def _uninformative(one: AuditedRun) -> bool:
    return one.audit is not None and one.audit.informative is False


def _reasons(audited: AuditedRuns, what: str) -> list[tuple[str, str]]:
    return [(one.arm, one.reasons[what]) for one in audited if what in one.reasons]


def _grouped(head: str, found: Iterable[tuple[str, str]], every: Sequence[str] = ()) -> list[str]:
    """A line per text, with the arms that it is about."""
    by_text: dict[str, dict[str, None]] = {}
    for arm, said in found:
        by_text.setdefault(said, {})[arm] = None
    whole = set(every)
    return [
        f"{head}: {'all' if len(arms) > 1 and set(arms) == whole else '; '.join(arms)}: {said}"
        for said, arms in by_text.items()
    ]


def _protocol(arms: Sequence[AuditedArm]) -> str:
    heads = ["arm", "n", "accuracy", "gap", "rho", "|g_L| paper", "per sample", "Gamma", "deep", "corrected", "earned",
             "verdict", *STRATEGIES]  # fmt: skip
    lines = [heads]
    for arm in arms:
        cells = [arm.name, str(len(arm.members)), _both(arm.spread("accuracy"), ".4f")]
        if not arm.audited:
            lines.append([*cells, *[""] * (len(heads) - 4 - len(STRATEGIES)), "-", *[""] * len(STRATEGIES)])
            continue
        forms = {"gap": "+.4f", "rho": ".3g", "reference": ".2e", "reference_sample": ".2e"}
        forms |= dict.fromkeys(("gamma", "deep", "deep_corrected", "earned"), "+.3f")
        cells += [_mean(arm.spread(name), form) for name, form in forms.items()]
        cells.append(_counted(arm.verdicts(), len(arm.members)))
        lines.append([*cells, *(_counted(arm.strategy(name), len(arm.members)) for name in STRATEGIES)])
    return _aligned(lines, left=(0, heads.index("verdict")))


def _functions(arms: Sequence[AuditedArm]) -> str:
    """Functional measures beside the cosine; nothing where none was taken."""
    forms = {"deep": "+.3f", "deep_corrected": "+.3f", "null": "+.3f", "null_corrected": "+.3f"}
    forms |= {"nudge_input": "+.2e", "nudge_output": "+.2e", "loss_change": "+.3f"}
    kept = [arm for arm in arms if arm.audited]
    if not any(arm.spread(name).n for arm in kept for name in ("nudge_input", "null", "loss_change")):
        return ""
    heads = ["arm", "deep", "corrected", "fresh B", "corrected", "nudge", "at output", "train loss"]
    lines = [[arm.name, *(_both(arm.spread(name), form) for name, form in forms.items())] for arm in kept]
    return _aligned([heads, *lines], left=(0,))


def _limits(audited: AuditedRuns) -> str:
    limits = audited.thresholds
    few = sorted({one.audit.n_samples for one in audited if one.audit is not None})
    measured = f"; layers on N = {', '.join(map(str, few))} samples" if few else ""
    return (
        f"flagged: D1 where rho > {limits.growth:g}; D2 where |g_L| < {limits.least_gradient:g}; D3 where the gap < "
        f"{limits.depth:g}; fail: D1 and D2, or D3{measured}"
    )


def _both(spread: Spread, form: str) -> str:
    """Mean and standard deviation."""
    return _mean(spread, form) + ("" if math.isnan(spread.sd) else f" +- {spread.sd:{form.removeprefix('+')}}")


def _mean(spread: Spread, form: str) -> str:
    return "-" if math.isnan(spread.mean) else f"{spread.mean:{form}}"


def _counted(counts: dict[str, int], n: int) -> str:
    """ "fail" where all of n say it, else "2 fail, 1 pass"."""
    if len(counts) == 1 and n == sum(counts.values()):
        return next(iter(counts))
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _aligned(lines: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    out = []
    for line in lines:
        cells = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)
