"""The figures of an audit, as far as there is something to draw, with what is to be said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from .evaluation import plot_dose_response, plot_evaluation_history, plot_function, plot_layer_state
from .evaluation_arms import doses, functions

if TYPE_CHECKING:
    from ..runs.audited import AuditedArm, AuditedRuns


@dataclass(frozen=True)
class Drawn:
    """A figure of an audit.

    Attributes
    ----------
    name : str
        Of its file, without an ending.
    figure : Figure
        Of pyplot; to be closed by whoever asked for it.
    caption : str
    alt : str
        What it shows, for those who do not see it.
    """

    name: str
    figure: Figure
    caption: str
    alt: str

    def save(self, folder: Path, ending: str = "png") -> Path:
        """Write it as ``NAME.ENDING`` into a folder that exists."""
        path = folder / f"{self.name}.{ending}"
        self.figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.05)
        return path


def draw_audit(audited: AuditedRuns) -> Iterator[Drawn]:
    """Draw every setting: state along depth, over training, under penalties, and function against the cosine."""
    several = len(audited.settings) > 1
    for setting, arms in audited.settings.items():
        end = f"_{_slug(setting)}" if several else ""
        for name, (figure, caption, alt) in _of(arms).items():
            yield Drawn(f"{name}{end}", figure, f"{setting}: {caption}", f"{alt} {_numbers(arms)}")


def _of(arms: list[AuditedArm]) -> dict[str, tuple[Any, str, str]]:
    found: dict[str, tuple[Any, str, str]] = {}
    if any(arm.audited for arm in arms):
        found["layer_state"] = (plot_layer_state(arms), _LAYERS, _LAYERS_ALT)
    if any(one.history is not None for arm in arms for one in arm.members):
        found["evaluation_over_training"] = (plot_evaluation_history(arms), _HISTORY, _HISTORY_ALT)
    if doses(arms):
        found["dose_response"] = (plot_dose_response(arms), _DOSE, _DOSE_ALT)
    shown = functions(arms)
    if len(shown) > 1:
        penalty = shown[0].members[0].penalty
        under = f" under the penalty {penalty:g}" if penalty else ""
        found["function"] = (plot_function(arms), _FUNCTION.format(under), _FUNCTION_ALT)
    return found


_LAYERS = (
    "state along depth. A: accuracy and aggregate cosine, mean and standard deviation over seeds; dashed, the frozen "
    "baseline. B: cosine of what each block is told and the gradient at its input, as the paper has it. C: with the "
    "gradient that it stands for, direction first; hollow where the block is given that gradient itself. D: exact "
    "gradient of the mean loss; dotted, where the second check flags and where the cosine's denominator is clamped. E: "
    "activity. Bands go from the least to the greatest seed."
)
_LAYERS_ALT = "Panels of accuracy, of the cosine of each block, and of lengths of gradients and activity of each layer."
_HISTORY = (
    "over training. A: length of the last layer's activity. B: of its exact gradient of the mean loss, with the limits "
    "of the second check and of the clamp. C: test accuracy; dashed, the frozen baseline. D, E: deep cosine as the "
    "paper has it, and corrected. Bands go from the least to the greatest seed."
)
_HISTORY_ALT = "Curves over epochs of activity, gradient, accuracy and deep cosine."
_DOSE = (
    "what the penalty on blocks does. A: length of the last layer's activity, geometric mean and range. B: deep cosine "
    "as the paper has it (dots) and corrected (rings). C: test accuracy; dashed, the frozen baseline."
)
_DOSE_ALT = "Activity, deep cosine and accuracy against the penalty."
_FUNCTION = (
    "what credits achieve against how well they point{}. Accuracy, change of the test loss by a small step against the "
    "credit, and change of the training loss, against the deep cosine as the paper has it (dots) and corrected "
    "(rings)."
)
_FUNCTION_ALT = "Accuracy, nudges and training loss against the deep cosine."


def _numbers(arms: list[AuditedArm]) -> str:
    parts = []
    for arm in arms:
        text = f"{arm.name}: accuracy {arm.spread('accuracy').mean:.3f}"
        if arm.audited:
            text += f", deep cosine {arm.spread('deep').mean:.2f}"
        parts.append(text)
    return "; ".join(parts) + "."


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
