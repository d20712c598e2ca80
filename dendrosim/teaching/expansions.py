"""Score vector expansions: more signals per sample than the loss has outputs, of conditional mean zero like the score.

Score broadcasting (Uzun et al. 2026, arXiv 2605.30638) enriches the broadcast signal by an expansion; how it is built
was not to be had by us, and the families here are our own. Given the input, the score at an optimum has mean zero, and
so has its product with anything that does not depend on the label (`Context`): functions of the input, of the output,
of the network's state. Nothing here sees the label.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import index, number, short, whole
from ..construct import call_of, construct
from ..errors import ParameterError
from ..losses.functions import softmax

if TYPE_CHECKING:
    from ..losses import Loss
    from .lesson import Lesson

Floats = NDArray[Any]


class Expansion(ABC):
    """A map from the score of a sample to the C' numbers that are broadcast in its stead.

    Arrays are in blocks, ``[n_blocks, rows, width]``, and the batch's 1/B is in errors and in what becomes of them.
    """

    name: ClassVar[str]

    @abstractmethod
    def size(self, network: Any) -> int:
        """C', the numbers per sample, for a `network`."""

    def prepare(self, network: Any, rng: np.random.Generator) -> None:  # noqa: B027
        """Draw what is fixed for a `network` by `rng`."""

    def suits(self, loss: Loss) -> None:  # noqa: B027
        """Raise `ParameterError` if the expansion means nothing for a `loss`."""

    def observe(self, lesson: Lesson) -> None:  # noqa: B027
        """Learn what the expansion itself has to learn from the minibatch of `lesson`."""

    @abstractmethod
    def expand(self, lesson: Lesson, error: Floats) -> Floats:
        """Expanded errors [n_blocks, C', width] of `lesson` from `error` [n_blocks, C, width], scores over B."""

    def state(self) -> dict[str, Floats]:
        """What was drawn or learned, as copies."""
        return {}

    def restore(self, state: dict[str, Floats]) -> None:  # noqa: B027
        """Go back to what `state` returned."""

    def __repr__(self) -> str:
        return call_of(self)


class Context(Expansion):
    """Products of the score with features: the score itself, then f_1 times the score, f_2 times the score, ...

    With (1, f) in the place of f this is vec(s (1, f)^T): C' = C (1 + number of features). Two samples speak to each
    other through the correlations as much as their scores and their features agree: <s, s'> <(1, f), (1, f')>.
    """

    @abstractmethod
    def count(self, network: Any) -> int:
        """Number of features besides the constant, for a `network`."""

    @abstractmethod
    def features(self, lesson: Lesson) -> Floats:
        """Features [n_blocks, count, width] of every sample of `lesson`, never of its label."""

    def size(self, network: Any) -> int:
        return int(network.n_outputs) * (1 + self.count(network))

    def expand(self, lesson: Lesson, error: Floats) -> Floats:
        n_blocks, c, width = error.shape
        features = self.features(lesson)
        told = np.empty((n_blocks, c * (1 + features.shape[1]), width), error.dtype)
        told[:, :c] = error
        products = told[:, c:].reshape(n_blocks, -1, c, width)
        np.multiply(features[:, :, None], error[:, None], out=products)
        return told


class Constant(Expansion):
    """The score as it is: plain broadcasting."""

    name: ClassVar[str] = "constant"

    def size(self, network: Any) -> int:
        return int(network.n_outputs)

    def expand(self, lesson: Lesson, error: Floats) -> Floats:
        return error


class Outputs(Context):
    """Products with the outputs of the network."""

    name: ClassVar[str] = "outputs"

    def count(self, network: Any) -> int:
        return int(network.n_outputs)

    def features(self, lesson: Lesson) -> Floats:
        found: Floats = lesson.activity.blocks(lesson.activity.logits)
        return found


class Probabilities(Context):
    """Products with the softmax of the outputs."""

    name: ClassVar[str] = "probabilities"

    def count(self, network: Any) -> int:
        return int(network.n_outputs)

    def features(self, lesson: Lesson) -> Floats:
        found: Floats = lesson.activity.blocks(softmax(lesson.activity.logits))
        return found


class Confidence(Context):
    """The product with the largest of the softmax of the outputs."""

    name: ClassVar[str] = "confidence"

    def count(self, network: Any) -> int:
        return 1

    def features(self, lesson: Lesson) -> Floats:
        found: Floats = lesson.activity.blocks(softmax(lesson.activity.logits).max(axis=1, keepdims=True))
        return found


class Inputs(Context):
    """Products with some inputs, such as the cue of a task, or with principal components of all of them.

    Parameters
    ----------
    chosen : sequence of int, optional
        Inputs that are features as they are.
    components : int, optional
        Instead: as many leading principal components, scaled to variance 1, of the first `samples` inputs that are
        learned from. Until these have been seen the features are 0, which leaves plain broadcasting.
    samples : int, default 1024

    Raises
    ------
    ParameterError
        If neither or both of `chosen` and `components` are given, or a number is impossible.
    """

    name: ClassVar[str] = "inputs"

    def __init__(self, chosen: Sequence[int] | None = None, components: int | None = None, samples: int = 1024) -> None:
        if (chosen is None) == (components is None):
            raise ParameterError("expansion 'inputs' needs either chosen=[...], inputs, or components=, a number")
        self.chosen = None if chosen is None else list(chosen)
        self.components = None if components is None else whole("components", components)
        self.samples = whole("samples", samples)
        if self.components is not None and self.samples <= self.components:
            raise ParameterError(f"samples={samples} must be more than components={components}")

    def count(self, network: Any) -> int:
        return len(self.chosen) if self.chosen is not None else int(self.components or 0)

    def prepare(self, network: Any, rng: np.random.Generator) -> None:
        n = int(network.n_inputs)
        if self.chosen is not None:
            self._rows = np.array([index(f"chosen[{i}]", k, n) for i, k in enumerate(self.chosen)])
            return
        if self.count(network) > n:
            raise ParameterError(f"components={self.components} is more than the {n} inputs; ask for at most {n}")
        self._axes = np.zeros((self.count(network), n), network.dtype)
        self._offset = np.zeros((self.count(network), 1), network.dtype)
        self._seen = np.empty((0, n), network.dtype)
        self._fitted = False

    def observe(self, lesson: Lesson) -> None:
        if self.chosen is not None or self._fitted:
            return
        self._seen = np.concatenate([self._seen, lesson.x])[: self.samples]
        if len(self._seen) == self.samples:
            mean = self._seen.mean(axis=0, dtype=np.float64)
            _, scale, axes = np.linalg.svd(self._seen - mean, full_matrices=False)
            r = len(self._axes)
            spread = scale[:r] / np.sqrt(self.samples)
            whole = spread > 1e-6 * spread[0]  # directions in which nothing varies stay 0
            self._axes[whole] = axes[:r][whole] / spread[whole, None]
            self._offset[:, 0] = self._axes @ mean
            self._seen, self._fitted = self._seen[:0].copy(), True

    def features(self, lesson: Lesson) -> Floats:
        x = lesson.activity.inputs
        found: Floats = x[:, self._rows] if self.chosen is not None else self._axes @ x - self._offset
        return found

    def state(self) -> dict[str, Floats]:
        if self.chosen is not None:
            return {}
        drawn = {"axes": self._axes.copy(), "offset": self._offset.copy(), "seen": self._seen.copy()}
        return {**drawn, "fitted": np.array(self._fitted)}

    def restore(self, state: dict[str, Floats]) -> None:
        if self.chosen is None:
            self._axes[...], self._offset[...] = state["axes"], state["offset"]
            self._seen, self._fitted = state["seen"].copy(), bool(state["fitted"])


class RandomFeatures(Context):
    """Products with fixed random features of the input, tanh(w . x + b).

    Parameters
    ----------
    n_features : int, default 8
    scale : float, default 2.0
        w is normal with standard deviation scale / sqrt(n_inputs), b with 1.
    """

    name: ClassVar[str] = "random_features"

    def __init__(self, n_features: int = 8, scale: float = 2.0) -> None:
        self.n_features = whole("n_features", n_features)
        self.scale = number("scale", scale, above=0.0)

    def count(self, network: Any) -> int:
        return self.n_features

    def prepare(self, network: Any, rng: np.random.Generator) -> None:
        weight = rng.standard_normal((self.n_features, network.n_inputs)) * (self.scale / np.sqrt(network.n_inputs))
        self._weight: Floats = weight.astype(network.dtype)
        self._bias: Floats = rng.standard_normal((self.n_features, 1)).astype(network.dtype)

    def features(self, lesson: Lesson) -> Floats:
        found: Floats = np.tanh(self._weight @ lesson.activity.inputs + self._bias)
        return found

    def state(self) -> dict[str, Floats]:
        return {"weight": self._weight.copy(), "bias": self._bias.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        self._weight[...], self._bias[...] = state["weight"], state["bias"]


class Custom(Context):
    """Products with what a function makes of inputs and outputs.

    Parameters
    ----------
    function : callable
        Takes inputs (B, n_inputs) and outputs (B, C) and returns features, (B, n_features).
    n_features : int
    """

    name: ClassVar[str] = "custom"

    def __init__(self, function: Callable[[Floats, Floats], Floats], n_features: int) -> None:
        if not callable(function):
            raise ParameterError(f"function={short(function)} must be a function of inputs and outputs")
        self.function = function
        self.n_features = whole("n_features", n_features)

    def count(self, network: Any) -> int:
        return self.n_features

    def features(self, lesson: Lesson) -> Floats:
        a = lesson.activity
        found = np.asarray(self.function(lesson.x, a.logits.copy()), a.dtype)
        if found.shape != (a.n_samples, self.n_features) or not np.isfinite(found).all():
            raise ParameterError(
                f"the expansion's function returned an array of shape {found.shape}; expected finite numbers of shape "
                f"{(a.n_samples, self.n_features)}, one row per sample and n_features={self.n_features}"
            )
        blocks: Floats = a.blocks(found)
        return blocks


class SecondMoments(Expansion):
    """The score, and its second moments less those that the model itself expects: vec(s s^T - diag(p) + p p^T).

    Their conditional mean is zero where the predicted probabilities are the true ones, and only there; s s^T alone has
    no such point. For the cross-entropy of classes.
    """

    name: ClassVar[str] = "second_moments"

    def size(self, network: Any) -> int:
        c = int(network.n_outputs)
        return c + c * c

    def suits(self, loss: Loss) -> None:
        plain = not getattr(loss, "label_smoothing", 0.0) and getattr(loss, "class_weights", None) is None
        if loss.name != "cross_entropy" or not plain:
            raise ParameterError(
                "expansion 'second_moments' knows the covariance of one score alone; use loss='cross_entropy' without "
                "label_smoothing and class_weights, or an expansion by context, such as 'probabilities'"
            )

    def expand(self, lesson: Lesson, error: Floats) -> Floats:
        a = lesson.activity
        if np.ndim(lesson.targets) != 1:
            raise ParameterError("expansion 'second_moments' needs classes as targets, shape (B,), not probabilities")
        p = a.blocks(softmax(a.logits))
        n_blocks, c, width = error.shape
        b = error.dtype.type(a.n_samples)
        told = np.empty((n_blocks, c + c * c, width), error.dtype)
        told[:, :c] = error
        moments = told[:, c:].reshape(n_blocks, c, c, width)
        np.multiply(error[:, :, None], error[:, None] * b, out=moments)  # s s^T / B
        moments += p[:, :, None] * (p[:, None] / b)
        moments[:, np.arange(c), np.arange(c)] -= p / b
        if a.n_samples % width:
            moments[-1, :, :, a.n_samples % width :] = 0.0
        return told


EXPANSIONS: dict[str, type[Expansion]] = {
    kind.name: kind
    for kind in (Constant, Outputs, Probabilities, Confidence, Inputs, RandomFeatures, Custom, SecondMoments)
}
"""Expansions by name. Another one is a subclass of `Expansion` or `Context` that is added here."""


def expansion(given: str | Expansion | Mapping[str, Any] | None) -> Expansion:
    """An expansion from a name, an object, a table with "name" and options, or None for the constant.

    Parameters
    ----------
    given : str, Expansion, mapping or None
        What to make it from.

    Returns
    -------
    Expansion

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.
    """
    if given is None:
        return Constant()
    if isinstance(given, Expansion):
        return given
    if isinstance(given, Mapping) and "name" in given:
        return construct("expansion", EXPANSIONS, given["name"], {k: v for k, v in given.items() if k != "name"})
    if not isinstance(given, str):
        valid = ", ".join(map(repr, EXPANSIONS))
        raise ParameterError(f"expansion={short(given)} must be a name ({valid}), an Expansion or a table with 'name'")
    return construct("expansion", EXPANSIONS, given, {})
