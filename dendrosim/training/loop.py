"""The loop itself: epochs of minibatches, validation, the best weights, early stopping, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import numbers, short
from ..errors import FileFormatError, TrainingError
from ..tasks.task import Task
from .batches import Batches
from .callbacks import Callback, Moment
from .checkpoint import Checkpoint, Interruption
from .evaluate import Score, evaluate
from .progress import Meter
from .schedules import Schedule

Array = NDArray[Any]


@dataclass(frozen=True)
class Plan:
    """What does not change during a training.

    Attributes
    ----------
    task : Task
    rows, validation : int arrays
        Rows of ``task.x_train`` to learn from and to validate on.
    epochs : int
    schedule : Schedule
    patience : int or None
        Epochs without improvement after which training stops.
    restore_best : bool
    test_each_epoch : bool
    callbacks : sequence of Callback
    checkpoint : Checkpoint or None
    progress : bool or None
    config : dict
        For checkpoints: what a resumed training must have in common with this one.
    """

    task: Task
    rows: NDArray[np.int64]
    validation: NDArray[np.int64]
    epochs: int
    schedule: Schedule
    patience: int | None
    restore_best: bool
    test_each_epoch: bool
    callbacks: Sequence[Callback]
    checkpoint: Checkpoint | None
    progress: bool | None
    config: Mapping[str, Any]


class Loop:
    """A training in progress.

    Parameters
    ----------
    plan : Plan
    learner : BaseLearner
    batches : Batches

    Attributes
    ----------
    epoch, batch : int
        Epochs done, and batches done in the one that is going on.
    history : dict of lists
    best_epoch : int
        Epoch (1, 2, ...) of the best validation accuracy, of the lower loss where two are equal; 0 before the first.
    stopped : str
        Why training ended before the last epoch; empty if it did not.
    """

    def __init__(self, plan: Plan, learner: Any, batches: Batches) -> None:
        self.plan, self.learner, self.batches = plan, learner, batches
        self.epoch = self.batch = self.best_epoch = self.right = 0
        self.loss = self.spent = 0.0
        self.history: dict[str, list[float]] = {}
        self.best: dict[str, Array] = {}
        self.stopped = ""
        self.finished = False
        self._saved = time.monotonic()
        task, rows = plan.task, plan.validation
        self._x, self._y = batches.x[rows], task.y_train[rows]
        self._x_test = task.x_test.astype(batches.x.dtype, copy=False)

    def run(self) -> None:
        """Train until the last epoch, or until something stops it; leaves the best weights in the network."""
        plan = self.plan
        done = self.epoch * len(self.batches) + self.batch
        with (
            Interruption(plan.checkpoint is not None) as interruption,
            Meter(len(self.batches), plan.epochs, done, plan.progress) as meter,
        ):
            self._saved = time.monotonic()
            if done == 0:
                self._call_back(last=False)
            while not self.finished and not self.stopped and self.epoch < plan.epochs:
                meter.epoch(self.epoch)
                self._train(meter, interruption)
                self._close()
                meter.score(self.history)
                if plan.checkpoint is not None and plan.checkpoint.due(time.monotonic() - self._saved, self.epoch):
                    self._save()
            self.finished = True
            if plan.checkpoint is not None:
                self._save()
        if plan.restore_best and self.best:
            self.learner.network.restore(self.best)

    def test(self) -> Score:
        """Loss and accuracy on the test samples."""
        return self._score(self._x_test, self.plan.task.y_test)

    def _score(self, x: Array, y: Array) -> Score:
        learner = self.learner
        return evaluate(learner.network, x, y, learner.loss, learner.threads)

    def _train(self, meter: Meter, interruption: Interruption) -> None:
        """The rest of an epoch."""
        plan, learner = self.plan, self.learner
        began, before = time.perf_counter(), self.spent
        for x, y in self.batches.epoch(self.epoch, self.batch):
            at = self.epoch + self.batch / len(self.batches)
            learner.rate_factor = plan.schedule.factor(at, plan.epochs)
            loss, right = learner.advance(x, y)
            if not math.isfinite(loss):
                raise TrainingError(self._diverged(f"step {self.batch + 1} of {len(self.batches)}", loss))
            self.loss += loss * len(y)
            self.right += right
            self.batch += 1
            meter.batch()
            self.spent = before + time.perf_counter() - began
            if plan.checkpoint is not None:
                if interruption.signal is not None:
                    self._save()
                    interruption.go_on()
                elif self.batch < len(self.batches) and plan.checkpoint.due(time.monotonic() - self._saved):
                    self._save()

    def _close(self) -> None:
        """Metrics, best weights and callbacks at the end of an epoch."""
        plan, learner = self.plan, self.learner
        began = time.perf_counter()
        n = self.batches.rows.size
        row = {"train_loss": self.loss / n, "train_accuracy": self.right / n}
        if self._y.size:
            score = self._score(self._x, self._y)
            if not math.isfinite(score.loss):
                raise TrainingError(self._diverged("validation", score.loss))
            row |= {"validation_loss": score.loss, "validation_accuracy": score.accuracy}
        if plan.test_each_epoch:
            score = self.test()
            row |= {"test_loss": score.loss, "test_accuracy": score.accuracy}
        row["learning_rate"] = plan.schedule.factor(self.epoch, plan.epochs)
        row["passes"] = float(learner.passes)
        row["seconds"] = self.spent + time.perf_counter() - began
        for name, value in row.items():
            self.history.setdefault(name, []).append(value)
        self.epoch, self.batch, self.loss, self.right, self.spent = self.epoch + 1, 0, 0.0, 0, 0.0
        if self._better():
            self.best_epoch = self.epoch
            if plan.restore_best and self._y.size:
                self.best = learner.network.state()
        elif plan.patience is not None and self.epoch - self.best_epoch >= plan.patience:
            self.stopped = f"stopped early: no better validation in {plan.patience} epochs"
        self._call_back(last=self.epoch == plan.epochs or bool(self.stopped))

    def _metrics(self) -> set[str]:
        """Names of what every epoch adds to the history."""
        names = {"train_loss", "train_accuracy", "learning_rate", "passes", "seconds"}
        for part, wanted in (("validation", self._y.size), ("test", self.plan.test_each_epoch)):
            names |= {f"{part}_loss", f"{part}_accuracy"} if wanted else set()
        return names

    def _better(self) -> bool:
        """Whether the last epoch is the best so far; without validation every one is."""
        if not self._y.size or not self.best_epoch:
            return True
        accuracy, loss = self.history["validation_accuracy"], self.history["validation_loss"]
        best = self.best_epoch - 1
        return (accuracy[-1], -loss[-1]) > (accuracy[best], -loss[best])

    def _call_back(self, last: bool) -> None:
        plan = self.plan
        moment = Moment(
            self.epoch, plan.epochs, self.learner, plan.task, plan.rows, plan.validation,
            {name: list(values) for name, values in self.history.items()},
        )  # fmt: skip
        for one in plan.callbacks:
            if last or self.epoch % one.every == 0:
                one.on_epoch(moment)
        if moment.stopped:
            self.stopped = moment.stopped

    def _diverged(self, where: str, loss: float) -> str:
        learner = self.learner
        rates = ", ".join(f"{group} {rate * learner.rate_factor:.3g}" for group, rate in learner.rates.items())
        bound = "clip_norm=1.0, " if learner.clip_norm is None else f"a smaller clip_norm (now {learner.clip_norm:g}), "
        return (
            f"epoch {self.epoch + 1}, {where}: the loss is {loss}; parameters or voltages grew beyond what "
            f"{learner.network.dtype.name} holds. Try lower rates= (now {rates}), {bound}or gates=True"
        )

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, for a checkpoint."""
        return {
            "position": {
                "epoch": self.epoch,
                "batch": self.batch,
                "right": self.right,
                "loss": self.loss,
                "spent": self.spent,
                "best_epoch": self.best_epoch,
                "finished": self.finished,
                "stopped": self.stopped,
            },
            "history": {name: np.array(values) for name, values in self.history.items()},
            "network": self.learner.network.state(),
            "learner": _safe(self.learner.state()),
            "best": self.best,
            "callbacks": {one.name: one.state() for one in self.plan.callbacks},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to where `state` was taken.

        Raises
        ------
        FileFormatError
            If it is not the state of such a training; the network is then as it was.
        """
        before = self.learner.network.state()
        try:
            self._restore(state)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self.learner.network.restore(before)
            raise FileFormatError(
                f"this is no whole checkpoint ({short(error, 300)}); restore it from a copy"
            ) from error

    def _restore(self, state: Mapping[str, Any]) -> None:
        at = state["position"]
        self.epoch, self.batch, self.right = int(at["epoch"]), int(at["batch"]), int(at["right"])
        self.loss, self.spent, self.best_epoch = float(at["loss"]), float(at["spent"]), int(at["best_epoch"])
        self.stopped = str(at["stopped"])
        self.finished = bool(at["finished"]) and (bool(self.stopped) or self.epoch >= self.plan.epochs)
        kept = {name: numbers(name, values) for name, values in state["history"].items()}
        if set(kept) != (self._metrics() if self.epoch else set()):
            raise ValueError(
                f"a history of {', '.join(kept) or 'nothing'}, not of {', '.join(sorted(self._metrics()))}"
            )
        self.history = {name: values.tolist() for name, values in kept.items()}
        ends = {values.shape for values in kept.values()} | {(self.epoch,)}
        fits = 0 <= self.best_epoch <= self.epoch and 0 <= self.batch <= len(self.batches)
        if ends != {(self.epoch,)} or not fits:
            raise ValueError(
                f"epoch {self.epoch}, batch {self.batch}, best epoch {self.best_epoch} do not fit together"
            )
        self.learner.network.restore(state["network"])
        self.learner.restore({name.replace("|", "/"): value for name, value in state["learner"].items()})
        self.best = dict(state["best"])
        if self.best:
            now = self.learner.network.state()
            self.learner.network.restore(self.best)  # raises here what would be found at the end
            self.learner.network.restore(now)
        for one in self.plan.callbacks:
            one.restore(state["callbacks"][one.name])

    def _save(self) -> None:
        if self.plan.checkpoint is not None:
            self.plan.checkpoint.write(self.plan.config, self.state())
            self._saved = time.monotonic()


def _safe(state: Mapping[str, Array]) -> dict[str, Array]:
    """Names without slashes, which HDF5 takes for groups."""
    return {name.replace("/", "|"): value for name, value in state.items()}
