"""Optimisers: from gradients to changed raw parameters, in place. One small class each, registered under its name."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import number, short
from ..errors import ParameterError, choose
from ..kernels.memory import aligned

Floats = NDArray[Any]

GROUPS = ("synapses", "couplings", "gates", "decoder")
"""Groups of parameters that have a learning rate of their own."""

LOCAL_RATES = {"synapses": 1.5e-3, "couplings": 7e-4, "gates": 5e-4, "decoder": 1.5e-3}
"""Of the published runs of local rules."""
EXACT_RATES = {"synapses": 1e-3, "couplings": 5e-4, "gates": 5e-4, "decoder": 1e-3}
"""Of the published runs of backpropagation."""


_TINY = 1e-17
"""Of gradients in float32: the squares of smaller ones are lost."""


def bound_norm(values: Mapping[str, Floats], most: float) -> float:
    """Shrink gradients, in place, until their Euclidean norm together is at most `most`; returns the factor."""
    norm = float(np.sqrt(sum(float(np.vdot(v, v)) for v in values.values())))
    factor = most / norm if norm > most else 1.0
    if factor < 1.0:
        for v in values.values():
            v *= factor
    return factor


def rates_given(rates: Mapping[str, float] | float | None, default: dict[str, float]) -> dict[str, float]:
    """Learning rate of every group: those given, the others by default; one number is for all."""
    if rates is None:
        return dict(default)
    if not isinstance(rates, Mapping):
        rates = dict.fromkeys(default, rates)
    for name, value in rates.items():
        choose("group of learning rates", name, default)
        number(f"rate of {name}", value, least=0.0)
    return {**default, **{name: float(value) for name, value in rates.items()}}


def decay_given(decay: Mapping[str, float] | float, groups: Mapping[str, float]) -> dict[str, float]:
    """Weight decay of every group: what is given, 0 for the others; one number is for all."""
    if not isinstance(decay, Mapping):
        decay = dict.fromkeys(groups, decay)
    for name, value in decay.items():
        choose("group of weight decay", name, groups)
        number(f"decay of {name}", value, least=0.0)
    return {**dict.fromkeys(groups, 0.0), **{name: float(value) for name, value in decay.items()}}


class Optimiser(ABC):
    """Changes parameter arrays in place, and keeps what it needs for that per array.

    Parameters
    ----------
    clip : float or None
        Bound on every value of a gradient.
    """

    name: ClassVar[str]
    moments: ClassVar[tuple[str, ...]] = ()

    def __init__(self, clip: float | None = None) -> None:
        self.clip = math.inf if clip is None else number("clip_value", clip, above=0.0)
        self.steps = 0
        self._kept: dict[str, dict[str, Floats]] = {name: {} for name in self.moments}

    def kept(self, moment: str, parameter: str, like: Floats) -> Floats:
        """The array of a `moment` of a `parameter`, zero at first, of the shape and type of `like`."""
        arrays = self._kept[moment]
        if parameter not in arrays:
            arrays[parameter] = aligned(like.shape, like.dtype)
        return arrays[parameter]

    def update(
        self, name: str, raw: Floats, gradient: Floats, rate: float, first: int = 0, last: int | None = None
    ) -> None:
        """One step of the array called `name`, or of a range of it; call `advance` once before the arrays of a step.

        Parameters
        ----------
        name : str
        raw, gradient : float arrays of one shape
            The parameters, which are changed, and the derivatives by them.
        rate : float
            Step size.
        first, last : int, optional
            Range of the flattened arrays; all of them by default.
        """
        flat = raw.reshape(-1)
        call = self._call(name, flat, gradient.reshape(-1), rate)
        call(first, flat.size if last is None else last, (0.0,) * (64 // flat.itemsize))

    def advance(self) -> None:
        """Count a step."""
        self.steps += 1

    @abstractmethod
    def _call(self, name: str, raw: Floats, gradient: Floats, rate: float) -> Any:
        """A function of a range and lanes that updates that range."""

    def state(self) -> dict[str, Floats]:
        """Moments and the number of steps, as copies."""
        moments = {f"{m}/{p}": a.copy() for m, arrays in self._kept.items() for p, a in arrays.items()}
        return {"steps": np.array(self.steps), **moments}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        self.steps = int(state["steps"].item())
        for key, value in state.items():
            if key != "steps":
                moment, parameter = key.split("/")
                self.kept(choose("moment", moment, self.moments), parameter, value)[...] = value

    def check(self, parameters: Mapping[str, Floats]) -> None:
        """See that every moment is as long as its array in `parameters`, as kernels take it to be.

        Raises
        ------
        ParameterError
            If one is not, after `restore`.
        """
        for moment, arrays in self._kept.items():
            for name, array in arrays.items():
                like = parameters.get(name)
                if like is None or (array.size, array.dtype) != (like.size, like.dtype):
                    raise ParameterError(f"the state does not fit: {moment} of {short(name)} has another shape or type")


class SGD(Optimiser):
    """Plain gradient descent.

    Parameters
    ----------
    clip : float, optional
        Greatest size of an element of the gradient.
    """

    name = "sgd"

    def _call(self, name: str, raw: Floats, gradient: Floats, rate: float) -> Any:
        from ..kernels import optimise

        return lambda a, b, lanes: optimise.sgd(raw, gradient, rate, self.clip, a, b, lanes)


class Momentum(Optimiser):
    """Gradient descent with heavy-ball momentum.

    Parameters
    ----------
    decay : float, default 0.9
    clip : float or None
    """

    name = "momentum"
    moments = ("velocity",)

    def __init__(self, decay: float = 0.9, clip: float | None = None) -> None:
        super().__init__(clip)
        self.decay = number("decay", decay, least=0.0)
        if self.decay >= 1:
            raise ParameterError(f"decay={decay} must be below 1, or the velocity grows without end")

    def _call(self, name: str, raw: Floats, gradient: Floats, rate: float) -> Any:
        from ..kernels import optimise

        velocity = self.kept("velocity", name, raw)
        return lambda a, b, lanes: optimise.momentum(raw, gradient, velocity, rate, self.decay, self.clip, a, b, lanes)


class Adam(Optimiser):
    """Adam (Kingma & Ba 2015).

    Parameters
    ----------
    beta1, beta2, epsilon : float
        0.9, 0.999 and 1e-8 by default, as in the published runs.
    clip : float or None
    """

    name = "adam"
    moments = ("mean", "square")

    def __init__(
        self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, clip: float | None = None
    ) -> None:
        super().__init__(clip)
        self.beta1, self.beta2 = number("beta1", beta1, least=0.0), number("beta2", beta2, least=0.0)
        if max(self.beta1, self.beta2) >= 1:
            raise ParameterError(f"beta1={beta1} and beta2={beta2} must be below 1")
        self.epsilon = number("epsilon", epsilon, above=0.0)

    def _call(self, name: str, raw: Floats, gradient: Floats, rate: float) -> Any:
        from ..kernels import optimise

        mean, square = self.kept("mean", name, raw), self.kept("square", name, raw)
        step = rate / (1.0 - self.beta1**self.steps)
        shrink = 1.0 / math.sqrt(1.0 - self.beta2**self.steps)
        constants = (step, self.beta1, self.beta2, shrink, self.epsilon, self.clip)
        return lambda a, b, lanes: optimise.adam(raw, gradient, mean, square, *constants, a, b, lanes)


class AdamW(Adam):
    """Adam with a decoupled weight decay of its own, in one pass over memory (Loshchilov & Hutter 2019).

    The same steps as `Adam` in a learner with that decay in all groups. In float32, gradients below 1e-17 count as 0,
    and moments that have decayed below 1e-30 (mean) or 1e-34 (square) are set to 0; with `epsilon` 1e-8 such gradients
    move nothing by more than 1e-9 of a step.

    Parameters
    ----------
    decay : float, default 0.01
        A step shrinks every parameter by rate * decay.
    beta1, beta2, epsilon : float
        As for `Adam`.
    clip : float or None
    """

    name = "adamw"

    def __init__(
        self,
        decay: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        clip: float | None = None,
    ) -> None:
        super().__init__(beta1, beta2, epsilon, clip)
        self.decay = number("decay", decay, least=0.0)

    def _call(self, name: str, raw: Floats, gradient: Floats, rate: float) -> Any:
        from ..kernels import optimise

        mean, square = self.kept("mean", name, raw), self.kept("square", name, raw)
        step = rate / (1.0 - self.beta1**self.steps)
        shrink = 1.0 / math.sqrt(1.0 - self.beta2**self.steps)
        tiny = _TINY if raw.dtype == np.float32 else 0.0
        constants = (step, 1.0 - rate * self.decay, self.beta1, self.beta2, shrink, self.epsilon, self.clip, tiny)
        return lambda a, b, lanes: optimise.adamw(raw, gradient, mean, square, *constants, a, b, lanes)


OPTIMISERS: dict[str, type[Optimiser]] = {kind.name: kind for kind in (SGD, Momentum, Adam, AdamW)}


def optimiser(given: str | Optimiser, clip: float | None = None) -> Optimiser:
    """The optimiser registered under a name, or the one given."""
    if isinstance(given, str):
        return OPTIMISERS[choose("optimiser", given, OPTIMISERS)](clip=clip)
    if not isinstance(given, Optimiser):
        raise ParameterError(f"optimiser={short(given)} must be an Optimiser or one of {', '.join(OPTIMISERS)}")
    return given
