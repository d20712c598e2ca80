"""Functional tests beside the cosine: nudges along credits, fresh random feedback, and the change of the loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers, whole
from ..errors import ParameterError
from .evaluation import Layers, is_given, mean_cosine, row_norms
from .evaluation_subjects import Auditable, auditable

Floats = NDArray[np.float64]

_KEY = 0x46726573
_STEPS = 1e4
"""A nudge of a unit of average activity has to be so many steps of float64, at least."""


@dataclass(frozen=True)
class Nudges:
    """Change of the mean loss when layers are moved a little against their credits; made by `nudging`.

    Attributes
    ----------
    step : float
        Length of the move of every sample.
    input : float array of shape (L,)
        The paper's: h_l is moved against a_l.
    output : float array of shape (L,)
        h_{l+1} is moved against what block l is told of it.
    expected : float array of shape (L,)
        What `output` would be to first order: ``-step mean(<g_{l+1}, a_l> / |a_l|)``.
    """

    step: float
    input: Floats
    output: Floats
    expected: Floats

    def __str__(self) -> str:
        lines = [f"Change of the mean loss by nudges of {self.step:g}", "", f"{'block':>5}{'input':>12}{'output':>12}"]
        lines += [f"{i:>5}{a:>12.3g}{b:>12.3g}" for i, (a, b) in enumerate(zip(self.input, self.output, strict=True))]
        return "\n".join([*lines, f"{'mean':>5}{self.input.mean():>12.3g}{self.output.mean():>12.3g}"])


def nudging(subject: Auditable, x: ArrayLike, y: ArrayLike, step: float = 0.01) -> Nudges:
    """Move layers a little against their credits, of unit length for every sample, and see what the loss does.

    Everything is computed in float64: at the activity of a collapsed network a nudge is less than a step of float32,
    and the change would print as exactly 0.

    Parameters
    ----------
    subject : Auditable
        It has to have a twin in float64, and to be one whose layers can be moved.
    x : array of shape (N, n_inputs)
    y : int array of shape (N,)
    step : float, default 0.01
        eta of ``h_l - eta a_l / |a_l|``; a sample without credit is not moved.

    Returns
    -------
    Nudges

    Raises
    ------
    ParameterError
        If the model cannot be nudged, or activity is so large that the step is lost in float64 too.
    """
    auditable(subject)
    eta = number("step", step, above=0.0)
    twin = subject.in_double()
    layers = twin.layers(x, y)
    most = max(float(np.abs(h).max()) for h in layers.activity)
    width = max(np.shape(h)[1] for h in layers.activity)
    if eta / np.sqrt(width) < _STEPS * np.finfo(np.float64).eps * most:
        raise ParameterError(
            f"step={eta:g} is lost beside activity up to {most:.3g}, in float64 too; take a larger step, or read that "
            "the scale of this network is not stable"
        )
    before = float(np.mean(layers.loss))
    found: dict[str, list[float]] = {"input": [], "output": [], "expected": []}
    for i, (told, reported) in enumerate(zip(layers.told, layers.reported, strict=True)):
        for name, layer, credit in (("input", i, reported), ("output", i + 1, told)):
            move = -eta * _unit(credit)
            found[name].append(float(np.mean(twin.losses_after(x, y, layer, move))) - before)
        found["expected"].append(-eta * float(np.einsum("nd,nd->n", layers.gradient[i + 1], _unit(told)).mean()))
    return Nudges(eta, *(np.array(found[name]) for name in ("input", "output", "expected")))


def _unit(rows: ArrayLike) -> Floats:
    array = np.asarray(rows, dtype=np.float64)
    size = row_norms(array)[:, None]
    return np.divide(array, size, out=np.zeros_like(array), where=size > 0)


@dataclass(frozen=True)
class FreshNull:
    """Deep cosine under random feedback that the model was not trained with; made by `fresh_null`.

    Attributes
    ----------
    paper, corrected : float arrays of shape (draws,)
        By either definition (credits against gradients at inputs or outputs of blocks).
    trained_paper, trained_corrected : float
        With the feedback of training.
    """

    paper: Floats
    corrected: Floats
    trained_paper: float
    trained_corrected: float

    @property
    def separation(self) -> float:
        """Standard deviations of the null by which the trained feedback lies above its mean, corrected definition."""
        return float((self.trained_corrected - self.corrected.mean()) / self.corrected.std(ddof=1))

    def __str__(self) -> str:
        return (
            f"deep cosine with fresh feedback {self.corrected.mean():+.3f} +- {self.corrected.std(ddof=1):.3f} "
            f"({self.corrected.size} draws), with that of training {self.trained_corrected:+.3f}: "
            f"{self.separation:.1f} standard deviations"
        )


def fresh_null(subject: Auditable, x: ArrayLike, y: ArrayLike, draws: int = 20, seed: int = 0) -> FreshNull:
    """Draw the random feedback of a trained model afresh, and measure the deep cosine that then is left.

    It is about 0 where alignment is specific to the feedback of training. By the corrected definition, blocks that are
    given their gradient itself (the deepest of feedback alignment) do not count; by the paper's they do, so that it is
    not 0 there. With a single block there is no deep layer, and the cosine of that block is taken.

    Parameters
    ----------
    subject : Auditable
        One with random feedback.
    x : array of shape (N, n_inputs)
    y : int array of shape (N,)
    draws : int, default 20
    seed : int, default 0

    Returns
    -------
    FreshNull

    Raises
    ------
    ParameterError
        If the model has no random feedback.
    """
    auditable(subject)
    count = whole("draws", draws, 2)
    # a key of its own: with the seed alone, the first draw could be the very feedback of training
    rng = np.random.default_rng(np.random.SeedSequence(whole("seed", seed, 0), spawn_key=(_KEY,)))
    trained = _deep_cosines(subject.layers(x, y))
    found = np.array([_deep_cosines(subject.redrawn(rng).layers(x, y)) for _ in range(count)])
    return FreshNull(found[:, 0], found[:, 1], *trained)


def _deep_cosines(layers: Layers) -> tuple[float, float]:
    """By the paper's index, and by ours without what is given; nothing else of `measure` is needed here."""
    deep = range(min(1, layers.depth - 1), layers.depth)
    paper = [mean_cosine(layers.reported[i], layers.gradient[i]) for i in deep]
    left = [i for i in deep if not is_given(layers.told[i], layers.gradient[i + 1])]
    corrected = [mean_cosine(layers.told[i], layers.gradient[i + 1]) for i in left]
    return float(np.mean(paper)), float(np.mean(corrected)) if corrected else float("nan")


def loss_change(losses: ArrayLike) -> float:
    """Last minus first training loss: the paper's third functional metric.

    Parameters
    ----------
    losses : array of shape (epochs,)
        ``run.history["train_loss"]``: means over each epoch, so that the first is over the first epoch and not before.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If there are fewer than two.
    """
    values = numbers("losses", losses).astype(np.float64)
    if values.ndim != 1 or values.size < 2:
        raise ParameterError(f"losses has shape {values.shape}; a change needs two epochs or more")
    return float(values[-1] - values[0])
