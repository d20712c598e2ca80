"""Measures of the evaluation protocol: how large activity and gradients are along depth, and how credits point.

Layers are counted as in the evaluation paper: h_0 is what the first block receives, h_L what the head receives, and
g_l = dL/dh_l. The paper compares what block l is told with g_l, the gradient at the block's *input*; what moves the
output of block l stands for g_{l+1}. Both are computed. All sums are in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, number, numbers
from ..errors import ParameterError

Floats = NDArray[np.float64]

COSINE_EPSILON = 1e-8
"""Least length that PyTorch's cosine similarity divides by, in every dtype."""


@dataclass(frozen=True)
class Layers:
    """Activity, exact gradients and credits of the layers of a model on N samples; rows are samples.

    Attributes
    ----------
    activity : sequence of L + 1 arrays of shape (N, d_l)
        h_0 .. h_L.
    gradient : sequence of L + 1 arrays of shape (N, d_l)
        g_0 .. g_L: of every sample's own loss, that is of the *sum* over the batch.
    told : sequence of L arrays of shape (N, d_{l+1})
        Credit of block l, which moves h_{l+1}: an estimate of g_{l+1}.
    reported : sequence of L arrays of shape (N, d_l)
        What the paper calls a_l, and compares with g_l. The same arrays as `told` where a method has one credit per
        block; the gradients at the inputs for backpropagation, and for models whose layers are told of themselves.
    first : array of shape (N, d_0), or None
        Credit of what makes h_0 (the embedding), an estimate of g_0.
    loss : array of shape (N,)
        Loss of every sample.

    Raises
    ------
    ParameterError
        If counts or shapes do not fit together.
    """

    activity: Sequence[NDArray[Any]]
    gradient: Sequence[NDArray[Any]]
    told: Sequence[NDArray[Any]]
    reported: Sequence[NDArray[Any]]
    first: NDArray[Any] | None
    loss: NDArray[Any]

    def __post_init__(self) -> None:
        depth = len(self.told)
        sizes = {"activity": depth + 1, "gradient": depth + 1, "reported": depth}
        for name, wanted in sizes.items():
            found = len(getattr(self, name))
            if found != wanted or depth < 1:
                raise ParameterError(f"{name} has {found} layers; with credits of {depth} blocks it needs {wanted}")
        pairs = [(f"gradient[{i}]", g, self.activity[i]) for i, g in enumerate(self.gradient)]
        pairs += [(f"told[{i}]", a, self.activity[i + 1]) for i, a in enumerate(self.told)]
        # one credit per block is an estimate at its output that the paper compares at its input: sizes are equal then
        pairs += [(f"reported[{i}]", a, self.activity[i]) for i, a in enumerate(self.reported)]
        pairs += [("first", self.first, self.activity[0])] if self.first is not None else []
        for name, array, like in pairs:
            if np.shape(array) != np.shape(like) or np.ndim(array) != 2:
                raise ParameterError(
                    f"{name} has shape {np.shape(array)}; expected {np.shape(like)}, one row per sample"
                )
        if np.shape(self.loss) != (self.n_samples,):
            raise ParameterError(f"loss has shape {np.shape(self.loss)}; expected ({self.n_samples},)")

    @property
    def depth(self) -> int:
        """L, the number of blocks."""
        return len(self.told)

    @property
    def n_samples(self) -> int:
        """N."""
        return int(np.shape(self.activity[0])[0])


def row_norms(rows: ArrayLike) -> Floats:
    """Euclidean length of every row, in float64; no square over- or underflows, and what is not finite stays so.

    Parameters
    ----------
    rows : array of shape (N, d)
    """
    array = np.asarray(rows, dtype=np.float64)
    most = np.abs(array).max(axis=1, initial=0.0)
    unit = _over(array, most)
    found: Floats = np.where(_usable(most), np.sqrt(np.einsum("nd,nd->n", unit, unit)), 1.0) * most
    return found


def _usable(sizes: Floats) -> NDArray[np.bool_]:
    """Sizes that can be divided by."""
    return (sizes > 0) & (sizes < np.inf)


def _over(rows: Floats, sizes: Floats) -> Floats:
    """Rows divided by their sizes; 0 where that cannot be done."""
    return np.divide(rows, sizes[:, None], out=np.zeros_like(rows), where=_usable(sizes)[:, None])


def mean_norm(rows: ArrayLike) -> float:
    """Mean length of the rows: what the paper plots as ``|h_l|`` and ``|g_l|``."""
    return float(row_norms(rows).mean())


def growth(norms: ArrayLike) -> Floats:
    """``|h_{l+1}| / |h_l|`` of every block; the largest is rho of the first check.

    Parameters
    ----------
    norms : array of shape (L + 1,)
        Mean lengths of h_0 .. h_L.

    Returns
    -------
    float array of shape (L,)
        inf where a layer is silent and the next is not.

    Raises
    ------
    ParameterError
        If there are fewer than two layers.
    """
    sizes = numbers("norms", norms).astype(np.float64)
    if sizes.ndim != 1 or sizes.size < 2:
        raise ParameterError(f"norms has shape {sizes.shape}; expected one length per layer, at least two")
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = sizes[1:] / sizes[:-1]
    found[(sizes[1:] == 0) & (sizes[:-1] == 0)] = 1.0
    return found


def growth_rms(table: NDArray[Any]) -> Floats:
    """`growth` of the root mean square activity of a unit, for layers of different sizes.

    Parameters
    ----------
    table : structured array of shape (L + 1,)
        Of `measure`.
    """
    return growth(table["activity"] / np.sqrt(table["width"]))


def cosines(credit: ArrayLike, gradient: ArrayLike, epsilon: float = 0.0) -> Floats:
    """Cosine of every sample's credit and gradient.

    Parameters
    ----------
    credit, gradient : arrays of shape (N, d)
    epsilon : float, default 0.0
        Least length that is divided by, of either: 1e-8 is PyTorch's clamp, which shrinks the printed cosine of short
        gradients though their direction is sound. With 0, directions are taken before anything else.

    Returns
    -------
    float array of shape (N,)
        nan for samples whose credit or gradient is not finite, and with epsilon 0 for those that have none.

    Raises
    ------
    ParameterError
        If shapes differ.
    """
    least = number("epsilon", epsilon, least=0.0)
    a, g = (numbers(name, it).astype(np.float64) for name, it in (("credit", credit), ("gradient", gradient)))
    if a.shape != g.shape or a.ndim != 2:
        raise ParameterError(f"credit has shape {a.shape} and gradient {g.shape}; expected (N, d), the same for both")
    sizes = [row_norms(v) for v in (a, g)]
    found: Floats = np.einsum("nd,nd->n", *(_over(v, size) for v, size in zip((a, g), sizes, strict=True)))
    for size in sizes:
        found[~_usable(size) if least == 0.0 else ~np.isfinite(size)] = np.nan
        if least > 0.0:
            found *= np.minimum(size, least) / least
    return found


def mean_cosine(credit: ArrayLike, gradient: ArrayLike, epsilon: float = 0.0) -> float:
    """Mean of `cosines` over the samples that have one; nan if none has."""
    found = cosines(credit, gradient, epsilon)
    here = found[~np.isnan(found)]
    return float(here.mean()) if here.size else float("nan")


def aggregate(values: ArrayLike) -> float:
    """Gamma: plain mean of the cosines of layers 0 .. L-1.

    Examples
    --------
    >>> round(aggregate([0.01, 0.0, 0.0, 0.95]), 2)
    0.24
    """
    found = _layers(values)
    return float(found.mean())


def deep(values: ArrayLike) -> float:
    """The deep cosine: mean over layers 1 .. L-1; nan where there is but one.

    Examples
    --------
    >>> round(deep([0.01, 0.0, 0.0, 0.95]), 4)
    0.3167
    """
    found = _layers(values)[1:]
    return float(found.mean()) if found.size else float("nan")


def dominance(values: ArrayLike) -> float:
    """Share of the largest cosine in the sum of the positive ones: 1 / L where all are equal, 1 where one has it all.

    Our own number for the paper's second failure mode, an aggregate that one end of the network carries; nan where no
    cosine is positive.
    """
    found = np.maximum(_layers(values), 0.0)
    total = float(found.sum())
    return float(found.max()) / total if total > 0 else float("nan")


def _layers(values: ArrayLike) -> Floats:
    found = numbers("cosines", values).astype(np.float64)
    if found.ndim != 1 or not found.size:
        raise ParameterError(f"cosines has shape {found.shape}; expected one per layer, (L,)")
    return found


_ROW = np.dtype(
    [
        ("layer", "i8"), ("width", "i8"), ("activity", "f8"), ("growth", "f8"), ("gradient_mean", "f8"),
        ("gradient_sample", "f8"), ("without_gradient", "f8"), ("credit", "f8"), ("cosine_paper", "f8"),
        ("cosine_input", "f8"), ("cosine_output", "f8"), ("given", "?"),
    ]
)  # fmt: skip
_SAME = 1e-5
"""Relative difference below which a credit counts as the gradient itself, given and not estimated."""


def measure(layers: Layers, epsilon: float = COSINE_EPSILON) -> NDArray[Any]:
    """One row per layer l = 0 .. L: lengths, and credits of block l against gradients.

    Parameters
    ----------
    layers : Layers
    epsilon : float, default 1e-8
        Of the paper's cosine.

    Returns
    -------
    structured array of shape (L + 1,)
        - ``width``: units of h_l;
        - ``activity``: mean length of h_l; ``growth``: that of h_{l+1} over it;
        - ``gradient_mean``: mean length of g_l of the *mean* loss, as the paper has it: it scales as 1 / N;
        - ``gradient_sample``: of each sample's own loss, whatever N is;
        - ``without_gradient``: share of samples whose g_l is zero or not finite;
        - ``credit``: mean length of what block l is told;
        - ``cosine_paper``: a_l and g_l of the mean loss, lengths clamped at `epsilon`;
        - ``cosine_input``: the same before any clamp;
        - ``cosine_output``: what block l is told and g_{l+1}, the gradient that it stands for, before any clamp;
        - ``given``: whether block l is told that gradient itself, so that its cosine is 1 whatever the method does.

        The last row, of h_L, has no block: nan, and False.
    """
    instance("layers", layers, Layers, "what subject.layers(x, y) returns")
    n, depth = layers.n_samples, layers.depth
    table = np.zeros(depth + 1, dtype=_ROW)
    table["layer"] = np.arange(depth + 1)
    for i, (h, g) in enumerate(zip(layers.activity, layers.gradient, strict=True)):
        with np.errstate(invalid="ignore", over="ignore"):
            sizes = row_norms(g)
            row = table[i]
            row["width"], row["activity"] = np.shape(h)[1], mean_norm(h)
        row["gradient_sample"], row["gradient_mean"] = sizes.mean(), sizes.mean() / n
        row["without_gradient"] = float(np.mean(~(np.isfinite(sizes) & (sizes > 0))))
    table["growth"][:-1] = growth(table["activity"])
    for name in ("growth", "credit", "cosine_paper", "cosine_input", "cosine_output"):
        table[name][-1] = np.nan
    for i, (told, reported) in enumerate(zip(layers.told, layers.reported, strict=True)):
        here, above = (np.asarray(layers.gradient[j], np.float64) for j in (i, i + 1))
        row = table[i]
        row["credit"] = mean_norm(told)
        row["cosine_paper"] = mean_cosine(np.asarray(reported, np.float64) / n, here / n, epsilon)
        row["cosine_input"] = mean_cosine(reported, here)
        row["cosine_output"] = mean_cosine(told, above)
        row["given"] = is_given(told, above)
    return table


def is_given(told: ArrayLike, gradient: ArrayLike) -> bool:
    """Whether a credit is the gradient itself, but for rounding."""
    exact = np.asarray(gradient, np.float64)
    size = mean_norm(exact)
    return size < np.inf and mean_norm(np.asarray(told, np.float64) - exact) <= _SAME * size
