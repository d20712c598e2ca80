"""The demo's second part: dendritic networks that learn handwritten digits by local rules."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..diagnostics.fidelity_of import fidelity
from ..networks.network import Network
from ..tasks import load
from ..training.train import train

if TYPE_CHECKING:
    from ..diagnostics.fidelity_report import Fidelity
    from ..training.run import Run

ARMS: dict[str, dict[str, Any]] = {
    "exact": {"teaching": "exact"},
    "per soma, tree": {"teaching": "per_soma"},
    "per soma, soma": {"teaching": {"name": "per_soma", "scope": "soma"}},
    "scalar": {"teaching": "scalar"},
    "decoder only": {"teaching": "decoder_only"},
}
"""Teaching signals that are compared, from all that can be told to nothing."""

RATES = {"synapses": 1e-2, "couplings": 5e-3, "gates": 2e-3, "decoder": 1e-2}
EPOCHS, BATCH = 30, 64


@dataclass(frozen=True)
class DemoLearning:
    """Result of `run_demo_learning`; its text is what ``dendrosim demo`` prints."""

    runs: dict[str, Run]
    fidelity: dict[str, Fidelity]
    """Of the local update (3F, per soma, tree) to the exact gradient: at first, and trained."""
    seconds: float
    path: Path

    def __str__(self) -> str:
        run = self.runs["per soma, tree"]
        width = max(map(len, self.runs))
        lines = [
            f"digits: {run.network}",
            f"{len(self.runs)} teaching signals, rule 3F, {EPOCHS} epochs each, {self.seconds:.1f} s in all",
            "",
            f"{'':{width}}  test accuracy  best epoch",
            *(f"{name:{width}}  {r.test_accuracy:13.3f}  {r.best_epoch:10d}" for name, r in self.runs.items()),
            "",
            "cosine of the local update (3F, per soma, tree) to the exact gradient:",
        ]
        for name, report in self.fidelity.items():
            rows = {str(row["group"]): row for row in report.table}
            shown = ", ".join(
                f"{g} {rows[g]['cosine']:.2f}" for g in ("excitatory", "inhibitory", "couplings", "gates")
            )
            lines.append(f"  {name:10} {shown}")
        return "\n".join(lines)


def run_demo_learning(
    out: str | Path, *, seed: int = 0, threads: int | None = None, progress: bool = False
) -> DemoLearning:
    """Train a small dendritic network on the digits that come with scikit-learn, under five teaching signals.

    Parameters
    ----------
    out : str or Path
        Folder; the run of the local rule is saved there as ``learning.h5``.
    seed : int, default 0
    threads : int, optional
    progress : bool, default False
        Show a progress bar on the terminal.

    Returns
    -------
    DemoLearning
    """
    task = load("digits")
    network = Network.dendritic(task.n_inputs, task.n_classes, [32], [3, 3], 16, 8, seed=seed)
    x, y = task.x_train[:512], task.y_train[:512]
    network.calibrate(x)
    started = time.perf_counter()
    runs = {}
    for name, options in ARMS.items():
        runs[name] = train(
            network, task, epochs=EPOCHS, batch_size=BATCH, rates=RATES, seed=seed, threads=threads,
            progress=progress, **options,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    networks = {"at first": network, "trained": runs["per soma, tree"].network}
    reports = {name: fidelity(it, x, y, teaching="per_soma", rule="3F") for name, it in networks.items()}
    path = runs["per soma, tree"].save(Path(out) / "learning.h5")
    return DemoLearning(runs, reports, seconds, Path(path))
