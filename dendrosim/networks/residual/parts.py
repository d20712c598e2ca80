"""What residual networks are made of: layer normalisation, perceptrons, and the first and last layer.

A part holds sizes only. Its parameters come in a dict, what a forward pass leaves behind in a cache, gradients go into
a dict of arrays of the same names. Arrays are (B, width), C-ordered, of one dtype; nothing is allocated in a pass.
Everything in a cache has a row for each sample, or several, but for what is under "constants": so that ranges of
samples can go through a network on threads of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.memory import aligned

Floats = NDArray[Any]
Parameters = dict[str, Floats]

EPSILON = 1e-5
"""Of layer normalisation, added to the variance."""
_LANES = 32
"""Values per vector of the elementwise kernels; faster than what one register holds."""


@dataclass(frozen=True)
class Work:
    """How gradients of some parameters come about, once derivatives by activity are there.

    Attributes
    ----------
    names : tuple of str
        Of the parameters.
    compute : callable
        Fills in rows `first` to `last` of the gradient, or all where `rows` is 0.
    rows : int
        Of a gradient that can be had in pieces; 0 for others.
    """

    names: tuple[str, ...]
    compute: Callable[[int, int], object]
    rows: int = 0

    def named(self, prefix: str) -> Work:
        """The same, for parameters under other names."""
        return Work(tuple(f"{prefix}_{name}" for name in self.names), self.compute, self.rows)


def linear_work(i: str, below: Floats, dy: Floats, gradients: Parameters, bias: bool = True) -> list[Work]:
    """Of ``weight`` + i and ``bias`` + i in ``below W + b``, from dL/dout."""
    weight = gradients[f"weight{i}"]

    def product(first: int, last: int) -> None:
        np.matmul(below.T[first:last], dy, out=weight[first:last])

    made = [Work((f"weight{i}",), product, len(weight))]
    if bias:
        made.append(Work((f"bias{i}",), lambda *_: np.sum(dy, axis=0, out=gradients[f"bias{i}"])))
    return made


def do(work: Sequence[Work]) -> None:
    """All of it, one after the other."""
    for one in work:
        one.compute(0, one.rows)


def lanes(size: int) -> tuple[float, ...]:
    """Tuple whose length is that of a vector for rows of `size` values."""
    width = _LANES
    while width > 1 and width > size:
        width //= 2
    return (0.0,) * width


def uniform(n_in: int, n_out: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Weights (n_in, n_out) and biases, uniform within 1 / sqrt(n_in) (He et al. 2015 as PyTorch does it)."""
    bound = 1.0 / np.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)


class Norm:
    """Layer normalisation over `width` values with trained gain and bias (Ba et al. 2016).

    Parameters
    ----------
    width : int
    """

    def __init__(self, width: int) -> None:
        self.width = width

    def initial(self) -> Parameters:
        """Gains 1, biases 0."""
        return {"norm_gain": np.ones(self.width), "norm_bias": np.zeros(self.width)}

    def cache(self, n: int, dtype: Any) -> Parameters:
        """Memory for `n` rows: ``unit``, ``inverse`` (1 / s), ``out`` and ``back``."""
        shape = (n, self.width)
        return {"inverse": aligned(n, dtype), **{name: aligned(shape, dtype) for name in ("unit", "out", "back")}}

    def forward(self, p: Parameters, h: Floats, cache: Parameters) -> Floats:
        """The normalised rows, ``cache["out"]``."""
        from ...kernels import residual

        unit, inverse, out = cache["unit"], cache["inverse"], cache["out"]
        residual.normalise(h, p["norm_gain"], p["norm_bias"], EPSILON, unit, inverse, out)
        return out

    def gradients(self, dy: Floats, cache: Parameters, gradients: Parameters) -> None:
        """Of gain and bias, from dL/dout."""
        from ...kernels import residual

        residual.normalise_gradients(dy, cache["unit"], gradients["norm_gain"], gradients["norm_bias"])

    def work(self, dy: Floats, cache: Parameters, gradients: Parameters) -> Work:
        """`gradients`, to be done later."""
        return Work(("norm_gain", "norm_bias"), lambda *_: self.gradients(dy, cache, gradients))

    def backward(self, p: Parameters, dy: Floats, cache: Parameters, dh: Floats) -> None:
        """dL/dh, into `dh`; it carries the 1 / s that shrinks gradients where activity is large."""
        from ...kernels import residual

        residual.normalise_back(dy, p["norm_gain"], cache["unit"], cache["inverse"], dh)


class Perceptron:
    """``GELU(... GELU(u W_0 + b_0) ...) W_n + b_n``: a linear last layer, GELU (exact) between.

    Parameters
    ----------
    widths : sequence of int
        Of the input, every hidden layer, and the output.
    bias : bool, default True
        Whether layers have biases.
    """

    def __init__(self, widths: Sequence[int], bias: bool = True) -> None:
        self.widths, self.bias = tuple(widths), bias

    def initial(self, rng: np.random.Generator) -> Parameters:
        """``weight_0 (n_in, n_out)``, ``bias_0`` and so on."""
        made: Parameters = {}
        for i, (n_in, n_out) in enumerate(pairwise(self.widths)):
            weight, bias = uniform(n_in, n_out, rng)
            made[f"weight_{i}"] = weight
            if self.bias:
                made[f"bias_{i}"] = bias
        return made

    def cache(self, n: int, dtype: Any) -> dict[str, Any]:
        """Memory for `n` rows: value, slope and derivative of the loss of every hidden layer."""
        hidden = self.widths[1:-1]
        kinds = ("value", "slope", "back")
        made: dict[str, Any] = {kind: [aligned((n, width), dtype) for width in hidden] for kind in kinds}
        made["constants"] = {"none": aligned(max(hidden, default=0), dtype)}  # in the place of biases
        return made

    def forward(self, p: Parameters, u: Floats, out: Floats, cache: dict[str, Any]) -> None:
        """The output, into `out`."""
        from ...kernels import residual

        below = u
        for i, (value, slope) in enumerate(zip(cache["value"], cache["slope"], strict=True)):
            np.matmul(below, p[f"weight_{i}"], out=slope)
            n, width = slope.shape
            bias = p[f"bias_{i}"] if self.bias else cache["constants"]["none"][:width]
            residual.gelu(slope.reshape(-1), bias, value.reshape(-1), slope.reshape(-1), n, width, lanes(width))
            below = value
        last = len(self.widths) - 2
        np.matmul(below, p[f"weight_{last}"], out=out)
        if self.bias:
            out += p[f"bias_{last}"]

    def back(self, p: Parameters, dy: Floats, cache: dict[str, Any], du: Floats | None) -> None:
        """From dL/dout to the derivatives by all hidden layers, kept in the cache, and into `du`, if that is given."""
        from ...kernels import residual

        for i in range(len(self.widths) - 2, 0, -1):
            back = cache["back"][i - 1]
            np.matmul(dy, p[f"weight_{i}"].T, out=back)
            residual.times(back.reshape(-1), cache["slope"][i - 1].reshape(-1), lanes(back.size))
            dy = back
        if du is not None:
            np.matmul(dy, p["weight_0"].T, out=du)

    def work(self, u: Floats, dy: Floats, cache: dict[str, Any], gradients: Parameters) -> list[Work]:
        """Gradients of the parameters, after `back`, where the input was `u`."""
        below, above = [u, *cache["value"]], [*cache["back"], dy]
        pairs = enumerate(zip(below, above, strict=True))
        return [one for i, (x, dx) in pairs for one in linear_work(f"_{i}", x, dx, gradients, self.bias)]


class Embedding:
    """``h_0 = x W + b`` of standardised inputs, ``x = (inputs - center) / scale``.

    Parameters
    ----------
    n_inputs, width : int
    center, scale : arrays of shape (n_inputs,)
    """

    def __init__(self, n_inputs: int, width: int, center: Floats, scale: Floats) -> None:
        self.n_inputs, self.width = n_inputs, width
        self.center, self.inverse = center, 1.0 / scale
        self.standardises = bool(center.any() or (scale != 1.0).any())

    def initial(self, rng: np.random.Generator) -> Parameters:
        """``weight (n_inputs, width)`` and ``bias``."""
        weight, bias = uniform(self.n_inputs, self.width, rng)
        return {"weight": weight, "bias": bias}

    def cache(self, n: int, dtype: Any) -> dict[str, Any]:
        """Memory for `n` rows, and center and inverse scale in this dtype."""
        if not self.standardises:
            return {}
        constants = {"center": self.center.astype(dtype), "inverse": self.inverse.astype(dtype)}
        return {"x": aligned((n, self.n_inputs), dtype), "constants": constants}

    def standardised(self, inputs: Floats, cache: dict[str, Any]) -> Floats:
        """The inputs, or their standardised copy in the cache."""
        if not self.standardises:
            return inputs
        x: Floats = cache["x"]
        np.subtract(inputs, cache["constants"]["center"], out=x)
        x *= cache["constants"]["inverse"]
        return x

    def forward(self, p: Parameters, inputs: Floats, h: Floats, cache: dict[str, Any]) -> None:
        """h_0, into `h`."""
        np.matmul(self.standardised(inputs, cache), p["weight"], out=h)
        h += p["bias"]

    def work(self, inputs: Floats, dh: Floats, cache: dict[str, Any], gradients: Parameters) -> list[Work]:
        """Gradients of the parameters from dL/dh_0, after `forward` of these inputs."""
        return linear_work("", cache["x"] if self.standardises else inputs, dh, gradients)


class Head:
    """``z = LN(h_L) W + b``, or without the normalisation; of the first token where rows hold several.

    Parameters
    ----------
    width, n_outputs : int
    norm : bool
    tokens : int, default 1
    """

    def __init__(self, width: int, n_outputs: int, norm: bool, tokens: int = 1) -> None:
        self.width, self.n_outputs, self.tokens = width, n_outputs, tokens
        self.norm = Norm(width) if norm else None

    def initial(self, rng: np.random.Generator) -> Parameters:
        """``weight (width, n_outputs)``, ``bias``, and those of the normalisation."""
        weight, bias = uniform(self.width, self.n_outputs, rng)
        return {**(self.norm.initial() if self.norm else {}), "weight": weight, "bias": bias}

    def cache(self, n: int, dtype: Any) -> Parameters:
        """Memory for `n` rows."""
        made = self.norm.cache(n, dtype) if self.norm else {}
        if self.tokens > 1:
            made |= {name: aligned((n, self.width), dtype) for name in ("first", "dfirst")}
        return {**made, "logits": aligned((n, self.n_outputs), dtype)}

    def forward(self, p: Parameters, h: Floats, cache: Parameters) -> Floats:
        """Logits."""
        if self.tokens > 1:
            cache["first"][...] = h[:, : self.width]
            h = cache["first"]
        cache["input"] = top = self.norm.forward(p, h, cache) if self.norm else h
        np.matmul(top, p["weight"], out=cache["logits"])
        cache["logits"] += p["bias"]
        return cache["logits"]

    def backward(self, p: Parameters, e: Floats, cache: Parameters, gradients: Parameters | None, dh: Floats) -> None:
        """From dL/dlogits: dL/dh_L into `dh`, and gradients of the parameters where they are asked for."""
        if self.tokens > 1:
            every, dh = dh, cache["dfirst"]
            self._backward(p, e, cache, gradients, dh)
            every[...] = 0.0
            every[:, : self.width] = dh
        else:
            self._backward(p, e, cache, gradients, dh)

    def _backward(self, p: Parameters, e: Floats, cache: Parameters, gradients: Parameters | None, dh: Floats) -> None:
        if gradients is not None:
            np.matmul(cache["input"].T, e, out=gradients["weight"])
            np.sum(e, axis=0, out=gradients["bias"])
        if self.norm is None:
            np.matmul(e, p["weight"].T, out=dh)
            return
        np.matmul(e, p["weight"].T, out=cache["back"])
        if gradients is not None:
            self.norm.gradients(cache["back"], cache, gradients)
        self.norm.backward(p, cache["back"], cache, dh)
