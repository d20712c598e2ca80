"""Fidelity of stored runs: what a trained network is taught, against the exact gradient."""

from __future__ import annotations

import csv
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.fidelity_of import fidelity
from ..diagnostics.fidelity_report import Fidelity
from ..diagnostics.history import FidelityHistory
from ..errors import ParameterError
from ..networks.network import Network
from ..tasks.seeds import stream
from ..teaching import teaching as teaching_named
from ..training.run import Run
from .build import task_of_run
from .collection import Runs

MEASURES = ("cosine", "scale_mismatch", "relative_l2")
_WARMUP = 20
"""Batches that running averages see first."""


def fidelity_of_run(
    run: Run,
    *,
    samples: int = 256,
    teaching: str | Mapping[str, Any] | None = None,
    rule: str | Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> Fidelity:
    """Fidelity of the trained network of a run on training samples.

    Parameters
    ----------
    run : Run
    samples : int, default 256
        Drawn from those that were learned from.
    teaching, rule : optional
        Others than those the run was trained with. Random feedback is that of the run; running averages see twenty
        batches first.
    threads : int, optional

    Returns
    -------
    Fidelity

    Raises
    ------
    ParameterError
        If the network has no dendrites, or nothing was taught to them.
    FileFormatError
        If the task of the run cannot be loaded again.
    """
    network, config = run.network, run.config
    if not isinstance(network, Network):
        raise ParameterError(f"fidelity is about dendrites, and {network!r} has none")
    taught = teaching_named(config["teaching"] if teaching is None else teaching)
    if taught.frozen_core:
        raise ParameterError("nothing was taught to the dendrites of this run (decoder_only); compare another teaching")
    task = task_of_run(run)
    rows, _ = task.split(config["training"]["validation"], run.seed)
    order = rows[stream(run.seed, "fidelity").permutation(rows.size)]
    chosen = order[:samples]
    batches = [order[i : i + samples] for i in range(samples, (_WARMUP + 1) * samples, samples)]
    return fidelity(
        network,
        task.x_train[chosen],
        task.y_train[chosen],
        teaching=taught,
        rule=config["rule"] if rule is None else rule,
        loss=config["loss"],
        seed=np.random.SeedSequence(run.seed, spawn_key=(zlib.crc32(b"learner"),)),
        warmup=[(task.x_train[batch], task.y_train[batch]) for batch in batches if batch.size],
        threads=threads,
    )


def recorded(run: Run) -> FidelityHistory | None:
    """What was followed through the training of a run, if it was."""
    columns = run.records.get("fidelity")
    return None if columns is None else FidelityHistory.from_columns(columns)


@dataclass(frozen=True)
class ArmFidelity:
    """Fidelity of the runs of one arm.

    Attributes
    ----------
    arm : str
    reports : tuple of Fidelity
        One per seed.
    """

    arm: str
    reports: tuple[Fidelity, ...]

    @property
    def rows(self) -> list[tuple[str, dict[str, float], dict[str, float], int]]:
        """Group, means and standard deviations of the measures over seeds, and number of parameters."""
        out = []
        for name in self.reports[0].table["group"].tolist():
            values = {m: np.array([float(report[name][m]) for report in self.reports]) for m in MEASURES}
            mean = {m: float(v.mean()) for m, v in values.items()}
            sd = {m: float(v.std(ddof=1)) if v.size > 1 else float("nan") for m, v in values.items()}
            out.append((name, mean, sd, int(self.reports[0][name]["n"])))
        return out

    def __str__(self) -> str:
        heads = f"{'':26}{'cosine':>16}{'|log10 scale|':>16}{'relative L2':>16}{'parameters':>12}"
        lines = [f"{self.arm}: {len(self.reports)} runs", heads]
        for name, mean, sd, n in self.rows:
            cells = [f"{mean[m]:.3f}" + ("" if sd[m] != sd[m] else f" +- {sd[m]:.3f}") for m in MEASURES]
            lines.append(f"{name:26}" + "".join(f"{cell:>16}" for cell in cells) + f"{n:>12}")
        return "\n".join(lines)


def fidelity_of_runs(runs: Runs, **options: Any) -> list[ArmFidelity]:
    """Fidelity of all runs, by arm; arms without anything to compare are left out.

    Parameters
    ----------
    runs : Runs
    **options
        As for `fidelity_of_run`.

    Raises
    ------
    ParameterError
        If none is left.
    """
    found, reasons = [], []
    for arm, members in runs.arms.items():
        try:
            reports = tuple(fidelity_of_run(run, **options) for run in members)
        except ParameterError as error:
            reasons.append(f"{arm or 'run'}: {error}")
        else:
            found.append(ArmFidelity(arm or repr(members[0]), reports))
    if not found:
        raise ParameterError("; ".join(reasons))
    return found


def write(arms: Sequence[ArmFidelity], path: str | os.PathLike[str]) -> Path:
    """Write a row per arm and group as CSV."""
    where = Path(path)
    with where.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["arm", "runs", "group", *(f"{m}{end}" for m in MEASURES for end in ("", "_sd")), "n"])
        for arm in arms:
            for name, mean, sd, n in arm.rows:
                numbers = [value for m in MEASURES for value in (mean[m], sd[m])]
                writer.writerow([arm.arm, len(arm.reports), name, *numbers, n])
    return where
