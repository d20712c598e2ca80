"""The evaluation protocol, followed through training."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, number, whole
from ..errors import ParameterError
from ..networks.residual import ResidualNetwork
from .callbacks import Callback, Moment
from .run import Run

if TYPE_CHECKING:
    from ..diagnostics.evaluation_subjects import Auditable

Array = NDArray[Any]

_DRAWN = (
    "bp", "frozen", "exact", "decoder_only", "scalar", "per_soma", "shuffled", "local_mismatch", "fa", "dfa",
    "low_rank",
)  # fmt: skip
"""Signals that keep nothing, or only what the seed decides."""


class RecordEvaluation(Callback):
    """Measures, on the same test samples every time, what the evaluation protocol looks at.

    Rows of layers end up in ``run.records["evaluation"]``; `dendrosim.diagnostics.EvaluationHistory` reads them.

    Parameters
    ----------
    every : int, default 1
        Epochs between measurements; the first is before training.
    samples : int, default 1024
        The first so many test samples; all if there are fewer.
    epsilon : float, default 1e-8
        Of the paper's cosine.
    name : str, default "evaluation"

    Notes
    -----
    Costs a few training steps and one pass over the test samples each time. The learner is left as it was.
    """

    def __init__(self, every: int = 1, samples: int = 1024, epsilon: float = 1e-8, name: str = "evaluation") -> None:
        self.every, self.samples = whole("every", every, 1), whole("samples", samples, 1)
        self.epsilon, self.name = number("epsilon", epsilon, least=0.0), name
        self._columns: dict[str, Array] = {}

    def on_epoch(self, moment: Moment) -> None:
        from ..diagnostics.evaluation_dendrites import DendriticSubject
        from ..diagnostics.evaluation_history import snapshot
        from ..diagnostics.evaluation_subjects import ResidualSubject

        learner, task = moment.learner, moment.task
        subject: Auditable
        if isinstance(learner.network, ResidualNetwork):
            subject = ResidualSubject.of(learner)
        else:
            subject = DendriticSubject.of(learner)
        x, y = task.x_test, task.y_test
        right = learner.loss.correct(subject.predict(x), y)
        now = snapshot(subject.layers(x[: self.samples], y[: self.samples]), right, len(y), moment.epoch, self.epsilon)
        for name, column in now.items():
            self._columns[name] = np.concatenate([self._columns[name], column]) if name in self._columns else column

    def results(self) -> dict[str, Array]:
        return dict(self._columns)

    def restore(self, state: Mapping[str, Array]) -> None:
        self._columns = dict(state)


class KeepTeaching(Callback):
    """Keeps what the teaching signal drew and learned, so that a run that was read from a file can be audited.

    `auditable` reads ``run.records["teaching"]``. The state is that of the last epoch: train with
    ``restore_best=False`` where the signal learns; of weights of another epoch there is no audit.

    Parameters
    ----------
    name : str, default "teaching"
    """

    every = 1_000_000_000  # only before training and after the last epoch

    def __init__(self, name: str = "teaching") -> None:
        self.name = name
        self._state: dict[str, Array] = {}

    def on_epoch(self, moment: Moment) -> None:
        state = moment.learner.teaching.state()
        self._state = {f"teaching:{key}".replace("/", "|"): value for key, value in state.items()}

    def results(self) -> dict[str, Array]:
        return dict(self._state)

    def restore(self, state: Mapping[str, Array]) -> None:
        self._state = dict(state)


def auditable(run: Run, threads: int | None = None) -> Auditable:
    """The trained network of a run, with the teaching signal that trained it, for `dendrosim.diagnostics.audit`.

    Parameters
    ----------
    run : Run
        One of `dendrosim.train`, fresh or from a file. What signals learned in training has to be among its records
        (`KeepTeaching`); fixed random feedback is drawn again from the seed.
    threads : int, optional
        Of the kernels of dendritic networks and point networks.

    Returns
    -------
    ResidualSubject or DendriticSubject

    Raises
    ------
    ParameterError
        If the signal learned something that was not kept, or was kept of another epoch than the weights, or the network
        is of a kind that cannot be audited.
    """
    from ..diagnostics.evaluation_dendrites import DendriticSubject
    from ..diagnostics.evaluation_subjects import ResidualSubject

    instance("run", run, Run, "such as ds.Run.load('run.h5')")
    network, config = run.network, run.config
    kept = run.records.get("teaching")
    state = None if kept is None else {name.replace("|", "/"): value for name, value in kept.items()}
    teaching = dict(config["teaching"])
    seed = np.random.SeedSequence(run.seed, spawn_key=(zlib.crc32(b"learner"),))
    if state is None and teaching["name"] not in _DRAWN:
        raise ParameterError(
            f"teaching={teaching['name']!r} learns in training, and this run did not keep what; train with "
            "callbacks=[ds.training.KeepTeaching()]"
        )
    if teaching["name"] not in _DRAWN and config["training"].get("restore_best") and run.best_epoch < run.epochs:
        raise ParameterError(
            f"teaching={teaching['name']!r} was kept as it was after epoch {run.epochs}, and the weights are those of "
            f"epoch {run.best_epoch}; train with restore_best=False"
        )
    if isinstance(network, ResidualNetwork):
        return ResidualSubject(
            network, teaching, penalty=float(config["rule"].get("penalty", 0.0)), state=state, seed=seed
        )
    return DendriticSubject(network, teaching, loss=dict(config["loss"]), state=state, seed=seed, threads=threads)
