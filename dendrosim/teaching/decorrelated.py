"""What is decorrelated from the score, and how correlated activity is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import short
from ..errors import ParameterError, choose
from .regularisers import layer_names

if TYPE_CHECKING:
    from .lesson import Lesson

Floats = NDArray[Any]
Map = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Function:
    """A function g of activity, elementwise.

    Attributes
    ----------
    forward, slope : callable or None
        g and g'; None for the identity.
    centred : bool
        Whether the running mean is taken off.
    """

    forward: Map | None = None
    slope: Map | None = None
    centred: bool = False

    def value(self, h: Floats) -> Floats:
        """g(h), before centring."""
        return h if self.forward is None else self.forward(h)

    def chain(self, h: Floats, told: Floats) -> None:
        """Multiply what is told by g'(h), in place, block by block."""
        if self.slope is not None:
            for k in range(len(h)):
                told[k] *= self.slope(h[k])


def _twice(h: Floats) -> Floats:
    return h + h


def _tanh_slope(h: Floats) -> Floats:
    t = np.tanh(h)
    slope: Floats = 1.0 - t * t
    return slope


FUNCTIONS = {
    "identity": Function(),
    "centred": Function(centred=True),
    "square": Function(np.square, _twice),
    "tanh": Function(np.tanh, _tanh_slope),
}


def functions_of(given: Any) -> tuple[Function, ...]:
    """Functions from a name, a pair of callables, or a list of these.

    Raises
    ------
    ParameterError
        If it is anything else.
    """
    several = given if isinstance(given, list) else [given]
    if not several:
        raise ParameterError("g=[] decorrelates nothing; give at least one function, such as 'identity'")
    return tuple(_function(one) for one in several)


def _function(given: Any) -> Function:
    if isinstance(given, tuple) and len(given) == 2 and all(map(callable, given)):
        return Function(*given)
    if not isinstance(given, str):
        raise ParameterError(
            f"g={short(given)} must be one of {', '.join(map(repr, FUNCTIONS))}, a pair (g, derivative of g) of "
            "functions of arrays, or a list of these"
        )
    return FUNCTIONS[choose("g", given, FUNCTIONS)]


def measures(lesson: Lesson) -> dict[str, float]:
    """How correlated activity and score of a minibatch are, whatever taught the network.

    Returns
    -------
    dict of float
        For each layer ``V2/<layer>``, the mean of V^2, and ``corr/<layer>``, the mean over units and outputs of the
        absolute Pearson correlation between f(V) and score; pairs in which one does not vary are left out. With a
        linear decoder ``identity``: E[(o - b) . s], which equals the sum over the decoder's weights of weight times
        gradient, and so the inner product of M^T at the somas with them. Where it is negative, the literal credit of
        `SBD` with decay 0 opposes the exact one there.
    """
    a, layout, parameters = lesson.activity, lesson.network.layout, lesson.network.parameters
    score = lesson.output_error.astype(np.float64) * a.n_samples
    voltage = a.batch_first(a.voltage).astype(np.float64)
    size = np.bincount(layout.layer, minlength=layout.n_layers)
    power = np.bincount(layout.layer, weights=np.square(voltage).mean(axis=0)) / size
    output = a.batch_first(a.output).astype(np.float64)
    correlation = np.abs(_pearson(output, score))
    names = layer_names(layout)
    found = {f"V2/{name}": float(value) for name, value in zip(names, power, strict=True)}
    for i, name in enumerate(names):
        here = correlation[layout.layer == i]
        known = here[np.isfinite(here)]
        found[f"corr/{name}"] = float(known.mean()) if known.size else 0.0
    if "decoder_bias" in parameters:
        found["identity"] = float(np.mean(((a.logits - parameters["decoder_bias"]) * score).sum(axis=1)))
    return found


def _pearson(a: Floats, b: Floats) -> Floats:
    """Pearson correlations between columns, (columns of a, columns of b); nan where one of the two is constant."""
    scaled = []
    for values in (a, b):
        about = values - values.mean(axis=0)
        norm = np.sqrt(np.square(about).sum(axis=0))
        norm[norm <= 1e-12 * np.sqrt(len(values)) * (1e-300 + np.abs(values).max(axis=0))] = np.nan
        scaled.append(about / norm)
    found: Floats = scaled[0].T @ scaled[1]
    return found
