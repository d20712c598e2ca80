"""The figure of the demo's second part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from .fidelity import plot_fidelity
from .learning import plot_learning_curve
from .styling import DOUBLE_COLUMN, style

if TYPE_CHECKING:
    from ..runs.demo_learning import DemoLearning


def plot_demo_learning(demo: DemoLearning, out: str | Path) -> list[Path]:
    """Draw learning curves under each teaching signal, and the fidelity of the local rule, as one PNG file.

    Parameters
    ----------
    demo : DemoLearning
        What `dendrosim.runs.demo_learning.run_demo_learning` returned.
    out : str or Path
        Folder to write to.

    Returns
    -------
    list of Path
        The run file and the figure.
    """
    with style():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(DOUBLE_COLUMN, 0.42 * DOUBLE_COLUMN), layout="constrained", width_ratios=[1.2, 1.0]
        )
        plot_learning_curve(demo.runs, ax=left)
        left.set_title("digits: what compartments are told")
        plot_fidelity(demo.fidelity, ax=right)
        right.set_ylabel("cosine to the exact gradient")
        path = Path(out).expanduser() / "learning.png"
        figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.05)
        plt.close(figure)
    return [demo.path, path]
