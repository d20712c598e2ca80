"""What the audit's page says first: what was audited, every verdict in words, and the numbers by arm."""

from __future__ import annotations

from calendar import month_name
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..about import __version__
from ..diagnostics.evaluation_audit import COLUMNS, Audit
from ..diagnostics.evaluation_verdict import Verdict
from ..runs.audited import AuditedArm, AuditedRun, AuditedRuns, Spread
from ..runs.baselines import is_frozen
from .audit_page_cells import (
    CHECKS,
    badge,
    by_setting,
    cell,
    counted,
    listed,
    plural,
    points,
    shown,
    spread,
    state,
    verdict_badge,
)
from .markup import Column, Content, Markup, Table, fragment, tag

Config = Mapping[str, Any]


def facts(audited: AuditedRuns) -> Markup:
    """What was audited."""
    configs = [one.run.config for one in audited]
    seeds = sorted({one.seed for one in audited})
    measured = sum(one.audit is not None for one in audited)
    found = {
        "Runs": [
            f"{plural(len(audited), 'run')} in {plural(len(audited.arms), 'arm')}, {plural(len(seeds), 'seed')} "
            f"({', '.join(map(str, seeds))}); {measured} audited"
        ],
        "Task": [_task(config["task"]) for config in configs],
        "Network": [_network(config["network"]) for config in configs],
        "Training": [_training(one) for one in audited],
        "Layers measured on": [f"N = {one.audit.n_samples} test samples" for one in audited if one.audit is not None],
        "Runs made with": [_settings(_table(config, "versions"), ()) for config in configs],
        "Files of runs written": [_written(audited)],
        "Audited with": [f"dendrosim {__version__}"],
    }
    pairs = [
        tag("div", tag("dt", name), [tag("dd", text) for text in dict.fromkeys(filter(None, texts))])
        for name, texts in found.items()
        if any(texts)
    ]
    return tag("dl", pairs, class_="facts")


def _task(task: Config) -> str:
    parts = [f"{task[key]} {text}" for key, text in _COUNTS.items() if key in task]
    data = f"; data {str(task['hash'])[:12]}" if "hash" in task else ""
    return f"{task['name']}: {', '.join(parts)}{data}"


_COUNTS = {
    "n_train": "training samples",
    "n_test": "test samples",
    "n_inputs": "inputs",
    "n_classes": "classes",
}


def _network(network: Config) -> str:
    name = network.get("architecture", network.get("kind", "of no kind that is told"))
    return f"{name}: {_settings(network, ('kind', 'architecture', 'seed', 'hash', 'n_inputs', 'n_outputs'))}"


def _settings(settings: Config, without: tuple[str, ...]) -> str:
    kept = [(key, value) for key, value in settings.items() if key not in without]
    return ", ".join(f"{key.replace('_', ' ')} {_word(value)}" for key, value in kept)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"({_settings(value, ())})"
    if isinstance(value, list):
        return f"({', '.join(map(_word, value))})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _training(one: AuditedRun) -> str:
    training = one.run.config["training"]
    optimiser, schedule = (_table(training, key) for key in ("optimiser", "schedule"))
    how = f"{optimiser.get('name', 'no optimiser')}, {schedule.get('name', 'constant')} schedule"
    return f"{plural(one.run.epochs, 'epoch')}, batches of {training.get('batch_size', '?')}, {how}"


def _table(config: Config, name: str) -> Config:
    """Settings of this name; none where a file has something else there."""
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _written(audited: AuditedRuns) -> str:
    times = [one.run.path.stat().st_mtime for one in audited if one.run.path is not None and one.run.path.exists()]
    if not times:
        return ""
    ends = [datetime.fromtimestamp(time, UTC) for time in (min(times), max(times))]
    days = [f"{end.day} {month_name[end.month]} {end.year}" for end in ends]  # not every system knows %-d
    return f"{' to '.join(dict.fromkeys(days))} (UTC)"


def cards(audited: AuditedRuns) -> Markup:
    """A card per arm, below the data and the network that arms share."""
    return fragment(
        (tag("h3", setting), tag("ul", [_card(arm) for arm in arms], class_="cards"))
        for setting, arms in audited.settings.items()
    )


def _card(arm: AuditedArm) -> Markup:
    kind, text = arm_state(arm)
    rows: list[tuple[str, Content]] = [
        (f"test accuracy (n = {arm.spread('accuracy').n})", spread(arm.spread("accuracy"), ".4f"))
    ]
    if arm.audited:
        gap = arm.spread("gap")
        in_points = Spread(points(gap.mean), points(gap.sd), gap.n)
        rows.append(("above the frozen baseline, points", spread(in_points, "+.2f", gap.n)))
        for name, label in CHECKS.items():
            rows.append((f"{name}, {label}", _flags(arm, name)))
        rows.append(("by corrected definitions", counted(arm.verdicts("corrected"), len(arm.audited))))
    return tag(
        "li",
        tag("div", tag("h4", arm.name), badge(kind, text), class_="top"),
        [tag("p", sentence) for sentence in sentences(arm)],
        tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in rows]),
        class_=f"card {kind}",
    )


def _no_verdict(one: AuditedRun) -> str:
    return "baseline" if is_frozen(one.run) else "not audited"


def arm_state(arm: AuditedArm) -> tuple[str, str]:
    """Class and word of an arm: that of its runs, or how many fail."""
    if not arm.audited:
        return "none", listed(dict.fromkeys(_no_verdict(one) for one in arm.members))
    kinds = Counter(state(one.audit.verdict) for one in arm.audited if one.audit)
    words = {"pass": "pass", "fail": "fail", "open": "incomplete"}
    if len(kinds) == 1:
        kind = next(iter(kinds))
        return kind, words[kind]
    return "fail" if kinds["fail"] else "open", ", ".join(f"{n} {words[kind]}" for kind, n in kinds.items())


def _flags(arm: AuditedArm, name: str) -> Markup:
    """Whether a check flagged, in how many runs."""
    seen = [one.audit.verdict for one in arm.audited if one.audit]
    flagged = sum(name in verdict.flags for verdict in seen)
    missing = sum(verdict.depth is None for verdict in seen) if name == "D3" else 0
    if missing == len(seen):
        return badge("open", "no baseline", quiet=True)
    if not flagged:
        return badge("pass", "passed", quiet=True)
    often = "flagged" if flagged == len(seen) else f"flagged in {flagged} of {len(seen)}"
    return badge("fail", often, quiet=True)


def sentences(arm: AuditedArm) -> list[str]:
    """What is to be said of an arm: one sentence per kind of verdict, and what to read beside it."""
    if not arm.audited:
        return list(dict.fromkeys(not_audited(one) for one in arm.members))
    kinds: dict[str, list[AuditedRun]] = {}
    for one in arm.audited:
        if one.audit is not None:
            kinds.setdefault(_because(one.audit), []).append(one)
    if len(kinds) == 1:
        said = [next(iter(kinds))]
    else:
        said = [f"Seed{'s' * (len(m) > 1)} {listed(str(one.seed) for one in m)}: {why}" for why, m in kinds.items()]
    said += _beside([one.audit for one in arm.audited if one.audit is not None])
    unmeasured = [one for one in arm.members if one.audit is None]
    return said + [f"Seed {one.seed} was not audited: {one.reason}." for one in unmeasured]


def not_audited(one: AuditedRun) -> str:
    """Why there is no audit, as a sentence."""
    reason = one.reason if is_frozen(one.run) else f"not audited: {one.reason}"
    return f"{reason[:1].upper()}{reason[1:]}."


def _because(audit: Audit) -> str:
    verdict = audit.verdict
    reasons = []
    if verdict.degenerate:
        reasons.append("activity grows out of bounds (D1) and the exact gradient collapses (D2): mode 1")
    if verdict.depth:
        least = shown(points(audit.thresholds.depth), ".4g")
        reasons.append(f"the trained depth is worth less than {least} points over one that never learned (D3)")
    alone = [
        name for name, flag in (("growth", verdict.scale), ("a small reference gradient", verdict.reference)) if flag
    ]
    rest = "" if verdict.degenerate or not alone else f" {alone[0].capitalize()} flags, which alone is no failure."
    if verdict.failed:
        return f"Fails: {'; and '.join(reasons)}.{rest}"
    if verdict.failed is None:
        return f"Incomplete: mode 1 was not found, but there is no frozen baseline to tell whether depth is used.{rest}"
    return f"Passes: the reference can be measured, and the trained depth is of use.{rest}"


def _beside(audits: list[Audit]) -> list[str]:
    said = []
    if any(audit.informative is False for audit in audits):
        said.append(
            "Depth utility tells nothing here: backpropagation itself does not pass it, so the task can be done "
            "without trained depth."
        )
    lopsided = [column for column in COLUMNS if any(audit.lopsided[column] for audit in audits)]
    if lopsided:
        whose = "both" if len(lopsided) > 1 else {"paper": "the paper's", "corrected": "the corrected"}[lopsided[0]]
        said.append(f"One layer carries the aggregate cosine (mode 2), by {whose} definitions.")
    return said


def run_table(audited: AuditedRuns) -> Table:
    """The verdict of every run."""
    groups = {"paper": "paper", "corrected": "corrected"}
    columns = [Column("Arm", numeric=False), Column("Seed"), Column("Test accuracy"), Column("Frozen baseline"),
               Column("Gap, points")]  # fmt: skip
    for column, group in groups.items():
        unit = "mean loss" if column == "paper" else "per sample"
        columns += [Column("Growth ρ", group), Column(tag("span", "|g", tag("sub", "L"), f"|, {unit}"), group),
                    Column("Verdict", group, numeric=False)]  # fmt: skip
    table = Table(
        "Verdict of every run",
        columns,
        name="table-runs",
        note="⚑ marks a number that its check flags. Mode 1 needs both D1 and D2; D3 fails by itself.",
    )
    table.rows = by_setting(audited, lambda arm: [_run_row(one) for one in arm.members])
    return table


def _run_row(one: AuditedRun) -> list[Content]:
    frozen = float("nan") if one.frozen is None else float(one.frozen)
    row: list[Content] = [one.arm, str(one.seed), cell(one.accuracy, ".4f"), cell(frozen, ".4f")]
    if one.audit is None:
        return [*row, "n/a", *["n/a", "n/a", badge("none", _no_verdict(one))] * 2]
    row.append(cell(points(one.audit.gap), "+.2f", flagged=bool(one.audit.verdict.depth)))
    for column in COLUMNS:
        verdict = one.audit.verdicts[column]
        row += [
            cell(one.audit.rho[column], flagged=verdict.scale),
            cell(one.audit.reference[column], flagged=verdict.reference),
            verdict_badge(verdict),
        ]
    return row


_BY_ARM: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "Accuracy and depth": (
        ("accuracy", "Test accuracy", "", ".4f"),
        ("frozen", "Frozen baseline", "", ".4f"),
        ("exact", "Backpropagation", "", ".4f"),
        ("gap", "Above frozen", "", "+.4f"),
        ("loss", "Test loss, nat", "", "#.4g"),
    ),
    "Scale and reference": (
        ("activity", "|h| at the end", "", "#.4g"),
        ("rho", "Growth ρ", "paper", "#.4g"),
        ("reference", "|g| at the end, mean loss", "paper", "#.3g"),
        ("rho_corrected", "Growth ρ of the r.m.s.", "corrected", "#.4g"),
        ("reference_sample", "|g| at the end, per sample", "corrected", "#.3g"),
    ),
    "Cosines with the exact gradient": (
        ("gamma", "Aggregate Γ", "paper", "+.3f"),
        ("deep", "Deep", "paper", "+.3f"),
        ("dominance", "Share of one layer", "paper", ".2f"),
        ("gamma_corrected", "Aggregate Γ", "corrected", "+.3f"),
        ("deep_corrected", "Deep", "corrected", "+.3f"),
        ("earned", "Not given", "corrected", "+.3f"),
        ("dominance_corrected", "Share of one layer", "corrected", ".2f"),
        ("first", "Embedding", "", "+.3f"),
    ),
}  # fmt: skip
_PROBES = (
    ("nudge_input", "Nudge, input, nat", "paper", "+.2e"),
    ("null", "Fresh feedback", "paper", "+.3f"),
    ("null_sd", "its s.d. over draws", "paper", ".3f"),
    ("nudge_output", "Nudge, output, nat", "corrected", "+.2e"),
    ("null_corrected", "Fresh feedback", "corrected", "+.3f"),
    ("null_corrected_sd", "its s.d. over draws", "corrected", ".3f"),
    ("loss_change", "Change of the training loss, nat", "", "+.3f"),
)


def arm_tables(audited: AuditedRuns) -> list[Table]:
    """Mean, standard deviation and n over seeds, by arm."""
    return [_by_arm(audited, name, columns) for name, columns in _BY_ARM.items()]


def probe_table(audited: AuditedRuns) -> Table:
    """Functional tests, by arm."""
    return _by_arm(audited, "Probes", _PROBES)


def _by_arm(audited: AuditedRuns, name: str, columns: tuple[tuple[str, str, str, str], ...]) -> Table:
    heads = [Column("Arm", numeric=False), Column("n"), *(Column(head, group) for _, head, group, _ in columns)]
    table = Table(f"{name} by arm: mean ± s.d. over seeds", heads, name=f"table-{name.split()[0].lower()}")

    def row(arm: AuditedArm) -> list[Sequence[Content]]:
        n = len(arm.members)
        return [[arm.name, str(n), *(spread(arm.spread(key), form, n) for key, _, _, form in columns)]]

    table.rows = by_setting(audited, row)
    return table


def headline(audited: AuditedRuns) -> str:
    """The outcome in one sentence."""
    seen = [one.audit.verdict for one in audited if one.audit is not None]
    if not seen:
        return "None of these runs could be audited; the reasons are below."
    paper, corrected = (
        _tally(seen),
        _tally([one.audit.verdicts["corrected"] for one in audited if one.audit is not None]),
    )
    return f"Of {plural(len(seen), 'audited run')}, {paper} by the paper's definitions; {corrected} by corrected ones."


def _tally(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(state(verdict) for verdict in verdicts)
    words = {"fail": ("fails", "fail"), "pass": ("passes", "pass"), "open": ("is incomplete", "are incomplete")}
    return listed(f"{counts[kind]} {words[kind][counts[kind] > 1]}" for kind in words if counts[kind])
