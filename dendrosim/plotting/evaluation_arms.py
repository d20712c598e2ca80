"""Arms of an audit in figures: colours by teaching signal, line styles by variant, and which belong together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..errors import ParameterError
from .fidelity import MARKERS, STYLES
from .styling import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION, YELLOW

if TYPE_CHECKING:
    from ..runs.audited import AuditedArm, AuditedRuns

_KNOWN = {
    "bp": BLACK,
    "exact": BLACK,
    "fa": BLUE,
    "dfa": VERMILLION,
    "state_bridge": GREEN,
    "credit_bridge": PURPLE,
    "frozen": "#888888",
    "decoder_only": "#888888",
}
_OTHERS = (SKY_BLUE, ORANGE, GREEN, PURPLE, YELLOW, BLUE, VERMILLION)


@dataclass(frozen=True)
class Look:
    """How an arm is drawn.

    Attributes
    ----------
    color : str
    dashes : line style of matplotlib
    marker : str
    teaching : str
        Name of its signal.
    """

    color: str
    dashes: Any
    marker: str
    teaching: str


def arms_of(audited: AuditedRuns | Sequence[AuditedArm]) -> list[AuditedArm]:
    """Arms of one setting.

    Raises
    ------
    ParameterError
        If there are none, or of several.
    """
    from ..runs.audited import AuditedRuns

    arms = list(audited.arms if isinstance(audited, AuditedRuns) else audited)
    settings = list(dict.fromkeys(arm.setting for arm in arms))
    if len(settings) != 1:
        raise ParameterError(
            f"a figure needs arms of one setting, and there are {len(settings)}: {'; '.join(settings) or 'none'}; "
            "give those of one, as in audited.settings[name]"
        )
    return arms


def looks(arms: Sequence[AuditedArm]) -> dict[str, Look]:
    """A colour for each teaching signal, a line style and a marker for each of its arms."""
    teachings = list(dict.fromkeys(_teaching(arm) for arm in arms))
    colors = {name: _KNOWN[name] for name in teachings if name in _KNOWN}
    free = [color for color in _OTHERS if color not in colors.values()]
    for i, name in enumerate(name for name in teachings if name not in _KNOWN):
        colors[name] = free[i % len(free)]
    found: dict[str, Look] = {}
    before: dict[str, int] = {}
    for arm in arms:
        color = colors[_teaching(arm)]
        i = before.setdefault(color, 0)  # more signals than colours: they are told apart like variants
        before[color] += 1
        found[arm.name] = Look(color, STYLES[i % len(STYLES)], MARKERS[i % len(MARKERS)], _teaching(arm))
    return found


def _teaching(arm: AuditedArm) -> str:
    return str(arm.members[0].run.config["teaching"]["name"])


def frozen_of(arms: Sequence[AuditedArm]) -> float:
    """Mean accuracy of the baselines that runs were compared with; nan without any."""
    found = [float(one.frozen) for arm in arms for one in arm.members if one.frozen is not None]
    return float(np.mean(found)) if found else float("nan")


def doses(arms: Sequence[AuditedArm]) -> list[list[AuditedArm]]:
    """Audited arms that differ in their penalty alone, by penalty; those without another are left out."""
    from ..runs.baselines import recipe

    found: dict[str, list[AuditedArm]] = {}
    for arm in arms:
        if arm.audited:
            run = arm.members[0].run
            rule = {key: value for key, value in run.config["rule"].items() if key != "penalty"}
            key = json.dumps([run.config["teaching"], rule, recipe(run)], sort_keys=True)
            found.setdefault(key, []).append(arm)
    several = [sorted(members, key=lambda arm: arm.members[0].penalty) for members in found.values()]
    return [members for members in several if len({arm.members[0].penalty for arm in members}) > 1]


def functions(arms: Sequence[AuditedArm], penalty: float | None = None) -> list[AuditedArm]:
    """Audited arms of one penalty that have a deep cosine; by default of the one with the most teaching signals."""
    found: dict[float, list[AuditedArm]] = {}
    for arm in arms:
        if arm.audited and arm.spread("deep").n:
            found.setdefault(arm.members[0].penalty, []).append(arm)
    if not found:
        return []
    if penalty is None:
        penalty = max(found, key=lambda value: (len({_teaching(arm) for arm in found[value]}), value))
    return found.get(penalty, [])


def legend_in(ax: Axes, arms: Sequence[AuditedArm], look: dict[str, Look], markers: bool = True) -> None:
    """A legend of arms that fills a panel of its own."""
    ax.set_axis_off()
    handles = [
        Line2D([], [], color=one.color, linestyle=one.dashes, marker=one.marker if markers else "", ms=3)
        for one in (look[arm.name] for arm in arms)
    ]
    ax.legend(handles, [arm.name for arm in arms], loc="center left", handlelength=2.6, borderaxespad=0.0,
              fontsize=6.5 if len(arms) > 8 else 7.0)  # fmt: skip
