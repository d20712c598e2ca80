"""What the audit's page says of the method: checks, thresholds, definitions, and poorer ways of reporting."""

from __future__ import annotations

from ..diagnostics.evaluation_verdict import STRATEGIES, Thresholds
from ..runs.audited import AuditedArm, AuditedRuns
from .audit_page_cells import badge, by_setting, cell, counted, points, shown
from .markup import Column, Content, Markup, Table, fragment, tag

PAPER = (
    "What Accuracy and Gradient Cosine Miss: Evaluating Feedback Alignment via Scale Stability, Reference Validity, "
    "and Depth Utility"
)
_THRESHOLDS = {
    "growth": ("D1, scale stability", "flagged where a block lets activity grow more than so many times"),
    "reference": ("D2, reference validity", "flagged where |g| at the end is below so many times the epsilon"),
    "cosine_epsilon": ("D2, epsilon of the cosine", "least length that the paper's cosine divides by"),
    "depth": ("D3, depth utility", "flagged where accuracy is less than this above the frozen baseline"),
    "dominance": (
        "Mode 2, beside the verdict",
        "share of one layer in the aggregate above which it is lopsided",
    ),
}
_STRATEGIES = {
    "S0": "accuracy alone",
    "S1": "accuracy and the aggregate cosine",
    "S2": "these, and mode 1 (D1 and D2)",
    "S3": "these, and depth utility (D3)",
}


def checks(limits: Thresholds) -> Markup:
    """Short explanation of each check."""
    h, g = _norm("h", "l"), _norm("g", "L")
    return fragment(
        tag(
            "p", "Layers are counted along the depth: h", tag("sub", "0"), " is what the first block receives, h",
            tag("sub", "L"), " what the head receives, and g", tag("sub", "l"), " is the exact gradient of the loss by "
            "h", tag("sub", "l"), ". Definitions are those of the evaluation paper (", tag("cite", PAPER),
            ", an anonymous manuscript), sections 2, 3 and 5.",
        ),
        tag("h3", "D1, scale stability"),
        tag(
            "p", "Growth ρ is the largest ratio of ", h, " after a block to that before it. It flags above ",
            shown(limits.growth, ".4g"), ". A local loss rewards activity that grows along the credit without bound "
            "(section 3.1). Corrected: of the root mean square activity of a unit, so that layers of different sizes "
            "compare.",
        ),
        tag("h3", "D2, reference validity"),
        tag(
            "p", "The exact gradient at the end, ", g, ", flags below ", shown(limits.least_gradient, ".4g"), ". There "
            "a clamped cosine is no longer an angle (section 3.1). The paper takes the gradient of the mean loss, "
            "which shrinks as 1/N with the number of samples; the corrected one is that of every sample's own loss.",
        ),
        tag("h3", "D3, depth utility"),
        tag(
            "p", "Accuracy above that of the same architecture with blocks that never learned flags below ",
            shown(points(limits.depth), ".4g"), " points (sections 4.3 and 5.1). Cosine cannot stand in for it. Where "
            "backpropagation does not pass it either, it tells nothing about the credit.",
        ),
        tag("h3", "Verdict"),
        tag(
            "p", "A run fails if D1 and D2 both flag (mode 1: the reference has collapsed) or if D3 flags. Without a "
            "frozen baseline it can fail by mode 1, but not pass: it is incomplete. An aggregate cosine that one layer "
            "carries (mode 2, section 3.2) is told beside the verdict and is not part of it.",
        ),
        tag("h3", "Paper and corrected"),
        tag(
            "p", "The paper compares what block l is told with the gradient at the block's input, lengths clamped. "
            "What moves the output of the block stands for the gradient at its output: the corrected cosine compares "
            "with that, and takes directions before any clamp. A credit that is the gradient itself is marked as "
            "given: its cosine of 1 is no evidence of alignment, and “not given” leaves it out.",
        ),
    )  # fmt: skip


def _norm(letter: str, index: str) -> Markup:
    return tag("span", "|", letter, tag("sub", index), "|")


def thresholds(limits: Thresholds) -> Table:
    """Thresholds in use beside the paper's."""
    usual = Thresholds()
    columns = [
        Column("Threshold", numeric=False),
        Column("Meaning", numeric=False),
        Column("In use"),
        Column("Default"),
    ]
    table = Table(
        "Thresholds in use",
        [*columns, Column("Changed", numeric=False)],
        name="table-thresholds",
        note="Defaults of D1 to D3 are the paper's (section 5.1), calibrated on image classification in float32; that "
        "of mode 2 is ours.",
    )
    for name, (label, meaning) in _THRESHOLDS.items():
        now, then = getattr(limits, name), getattr(usual, name)
        table.rows.append([label, meaning, cell(now, ".4g"), cell(then, ".4g"), "no" if now == then else "yes"])
    return table


def strategies(audited: AuditedRuns) -> Table:
    """Whether poorer ways of reporting would have noticed a failure."""
    columns = [Column("Arm", numeric=False), Column("Audited")]
    columns += [Column(f"{name}: {_STRATEGIES[name]}", numeric=False) for name in STRATEGIES]
    table = Table(
        "What each way of reporting says, by the paper's definitions",
        columns,
        name="table-strategies",
        note="“fail”: it notices a failure. “pass”: it gives no sign of one. “open”: it lacks the frozen baseline. The "
        "paper gives S0 and S1 no number (section 5.2); here S0 notices accuracy that is not above chance by the "
        "threshold of D3, and S1 an aggregate cosine that is not positive.",
    )
    table.rows = by_setting(
        audited,
        lambda arm: [[arm.name, str(len(arm.audited)), *(_strategy(arm, name) for name in STRATEGIES)]],
        of=lambda arm: bool(arm.audited),
    )
    return table


def _strategy(arm: AuditedArm, name: str) -> Content:
    found = arm.strategy(name)
    kind = next(kind for kind in ("fail", "open", "pass") if kind in found)
    return badge(kind, counted(found, len(arm.audited)))


def unmeasured(audited: AuditedRuns) -> Table | None:
    """Everything that could not be measured, and why."""
    names = {
        "audit": "the audit",
        "frozen": "depth utility (D3)",
        "nudges": "nudging",
        "null": "fresh feedback",
        "history": "measures over training",
        "loss_change": "change of the training loss",
    }
    found: dict[tuple[str, str, str], list[int]] = {}
    for arm in audited.arms:
        for one in arm.members:
            for what, why in one.reasons.items():
                found.setdefault((arm.name, names.get(what, what), why), []).append(one.seed)
    if not found:
        return None
    heads = [Column(head, numeric=False) for head in ("Arm", "Seeds", "What", "Reason")]
    rows = [[arm, ", ".join(map(str, seeds)), what, why] for (arm, what, why), seeds in found.items()]
    return Table("What could not be measured, and why", heads, list(rows), name="table-reasons")
