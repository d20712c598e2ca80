"""What a tick asks for: a loss of targets, a reward for an action, or nothing but a modulator that is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError
from ..losses import Loss
from ..losses import loss as loss_named
from ..networks.neurons import Neurons
from ..teaching.running import RunningMean

if TYPE_CHECKING:
    from ..teaching import Teaching

Floats = NDArray[Any]
Reward = Callable[[NDArray[np.int64], int], ArrayLike]


@dataclass
class Answer:
    """What came of asking at a tick.

    Attributes
    ----------
    targets : array or None
        What the loss was asked with; None: no loss, and credits come from `modulator`.
    error : float array of shape (B, n_outputs)
        Derivative of the mean loss by the logits.
    loss : float array of shape (B,)
    modulator : float array of shape (B, 1) or (B, N), or None
    action, reward : arrays of shape (B,)
        Empty without a reward.
    """

    targets: NDArray[Any] | None
    error: Floats
    loss: Floats
    modulator: Floats | None
    action: NDArray[np.int64]
    reward: Floats


_NO_ACTION = np.empty(0, np.int64)


class Asking(ABC):
    """How ticks come by what is told.

    Attributes
    ----------
    loss : Loss
        That teaching signals are shown.
    baseline : RunningMean
        Of rewards that have arrived.
    """

    loss: Loss
    rewarded = False

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.baseline = RunningMean(())

    @abstractmethod
    def asked(self, logits: Floats, k: int, rng: np.random.Generator) -> Answer:
        """Ask at tick k, with logits (B, n_outputs)."""

    def identity(self) -> list[Any]:
        """What tells it apart, for a digest."""
        return [type(self).__name__]

    def advantage(self, reward: Floats) -> Floats:
        """What a reward that arrives is worth: reward minus the running mean of those before, which it then joins."""
        worth = reward - self.baseline.value
        self.baseline.update(float(reward.mean()))
        return worth


class Targets(Asking):
    """The loss of targets.

    Parameters
    ----------
    loss : Loss
    targets : array of shape (K, B, ...) or (B, ...)
        One for each tick, or the same for all.
    network : Neurons
    n_ticks, n_rows : int

    Raises
    ------
    ParameterError
        If they do not fit.
    """

    def __init__(self, loss: Loss, targets: Any, network: Neurons, n_ticks: int, n_rows: int) -> None:
        super().__init__(loss)
        table = numbers("targets", targets)
        whole = table.dtype.kind in "iub"
        outputs = network.n_outputs
        constant = table.shape in ((n_rows, outputs), (n_rows,) if whole else ())
        changing = table.shape in ((n_ticks, n_rows, outputs), (n_ticks, n_rows) if whole else ())
        if constant == changing and not (constant and table.ndim == 2):
            classes = f", or classes of shape ({n_rows},) or ({n_ticks}, {n_rows})"
            raise ParameterError(
                f"targets has shape {table.shape}; expected ({n_rows}, {outputs}), the same at all ticks, or "
                f"({n_ticks}, {n_rows}, {outputs}), one for each of {n_ticks} ticks{classes}"
            )
        each = [table] if constant else list(table)
        self._targets = [loss.checked(y, n_rows, outputs) for y in each]

    def identity(self) -> list[Any]:
        return [*super().identity(), *self._targets]

    def asked(self, logits: Floats, k: int, rng: np.random.Generator) -> Answer:
        y = self._targets[min(k, len(self._targets) - 1)]
        losses, error = self.loss.evaluate(logits, y)
        return Answer(y, error / len(error), losses, None, _NO_ACTION, np.empty(0))


class Modulated(Asking):
    """No loss; the third factor is given, dL/dV or whatever is to take its place: parameters go against it.

    Parameters
    ----------
    loss : Loss
    modulator : array of shape (K, B) or (K, B, N)
    shape : tuple
        (K, B, N).

    Raises
    ------
    ParameterError
        If it does not fit.
    """

    def __init__(self, loss: Loss, modulator: Any, shape: tuple[int, int, int]) -> None:
        super().__init__(loss)
        table = numbers("modulator", modulator).astype(np.float64)
        if table.shape not in (shape, shape[:2]) or not np.isfinite(table).all():
            raise ParameterError(
                f"modulator has shape {table.shape}; expected {shape[:2]}, one number for each of {shape[0]} ticks and "
                f"{shape[1]} stimuli, or {shape}, for each compartment besides; finite"
            )
        self._modulator = table.reshape(*shape[:2], -1)

    def identity(self) -> list[Any]:
        return [*super().identity(), self._modulator]

    def asked(self, logits: Floats, k: int, rng: np.random.Generator) -> Answer:
        error = np.zeros_like(logits)
        return Answer(None, error, np.full(len(error), np.nan), self._modulator[k], _NO_ACTION, np.empty(0))


class Silent(Asking):
    """Nothing is asked: outputs are recorded, and nothing is learned."""

    def asked(self, logits: Floats, k: int, rng: np.random.Generator) -> Answer:
        b = len(logits)
        return Answer(None, np.zeros_like(logits), np.full(b, np.nan), None, _NO_ACTION, np.empty(0))


class Rewarded(Asking):
    """An action drawn from the policy that the outputs are, and a reward for it.

    The policy is the softmax of the outputs, or with a single output its sigmoid, the probability of action 1. Credits
    come from the score, d(-log policy)/d(output), and wait for the reward, which multiplies them as reward minus
    baseline (Williams, Mach Learn 8:229, 1992).

    Parameters
    ----------
    reward : callable
        ``reward(actions, k)``: actions (B,) at tick k to rewards (B,).
    teaching : Teaching
    n_outputs : int
    """

    rewarded = True

    def __init__(self, reward: Reward, teaching: Teaching, n_outputs: int) -> None:
        if not callable(reward):
            raise ParameterError("reward= must be a function of actions (B,) and the tick k that returns rewards (B,)")
        super().__init__(loss_named("logistic" if n_outputs == 1 else "cross_entropy"))
        teaching.suits(self.loss)
        self._reward, self._single = reward, n_outputs == 1

    def asked(self, logits: Floats, k: int, rng: np.random.Generator) -> Answer:

        drawn = rng.random(len(logits))
        if self._single:
            action = (drawn < 0.5 * (1.0 + np.tanh(0.5 * logits[:, 0]))).astype(np.int64)
            y = self.loss.checked(action[:, None], len(action), 1)
        else:
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            edges = np.cumsum(p, axis=1)
            action = (edges < drawn[:, None] * edges[:, -1:]).sum(axis=1).astype(np.int64)
            y = self.loss.checked(action, len(action), logits.shape[1])
        losses, error = self.loss.evaluate(logits, y)
        reward = numbers("the reward", self._reward(action, k)).astype(np.float64)
        if reward.shape != action.shape or not np.isfinite(reward).all():
            raise ParameterError(
                f"the reward of tick {k} has shape {reward.shape}; expected {action.shape}, finite, one per stimulus"
            )
        return Answer(y, error / len(error), losses, None, action, reward)
