"""Fidelity of credits: what a teaching signal tells every unit, against the exact derivative of the loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import several, short
from ..errors import ParameterError, choose
from .fidelity_of import restore
from .parts import layer_name

if TYPE_CHECKING:
    from ..losses import Loss
    from ..plasticity.learning import BaseLearner
    from ..teaching import Teaching
    from ..teaching.lesson import Lesson

Floats = NDArray[np.float64]

MEASURES = ("cosine", "norm_ratio", "sign_agreement", "decorrelation", "mean_square")
ROW = np.dtype([("layer", "U64"), *((name, "f8") for name in MEASURES), ("n", "i8")])


class CreditFidelity:
    """How close the credits of a teaching signal are to the exact ones; made by `credit_fidelity`.

    Attributes
    ----------
    table : structured array
        One row per layer of units, ``population/stage k``, and ``all`` over all units:

        - ``cosine``: between estimated and exact dL/dV_n, over the units of the layer and all samples as one vector;
        - ``norm_ratio``: length of the estimated vector over that of the exact one;
        - ``sign_agreement``: share of equal signs where the exact credit is not zero;
        - ``decorrelation``: ``|M|^2 / 2``, with M the mean of V s^T over the batch and s the score of a sample: what
          error broadcast and decorrelation minimises (Erdogan et al. 2025);
        - ``mean_square``: mean of V^2, in the network's units squared;
        - ``n``: units.

        nan where a vector is zero.
    identity : float
        Mean of (o - b) . s, with o the outputs and b the decoder's bias (0 without one). Where outputs are linear in
        the units of a layer, it is the inner product of their correlation with the scores and the Jacobian: negative
        where descent on ``decorrelation`` goes against the gradient of the loss (derived here).
    unit_cosine : float array of shape (N,)
        Cosine over the samples of every unit alone.
    metrics : dict of float
        What the teaching signal says of itself.
    teaching : str
        What was compared.
    n_samples : int
        Size of the batch.
    """

    def __init__(self, lesson: Lesson, estimate: Floats, exact: Floats, teaching: Teaching) -> None:
        network, activity = lesson.network, lesson.activity
        layout, scores = network.layout, lesson.output_error.astype(np.float64)
        voltage = activity.batch_first(activity.voltage).astype(np.float64)
        self.teaching, self.n_samples = repr(teaching), activity.n_samples
        outputs = activity.logits.astype(np.float64) - network.parameters.get("decoder_bias", 0.0)
        self.identity = float((outputs * scores).sum())  # the batch's 1/B is in the scores
        self.metrics = {name: float(value) for name, value in teaching.metrics(lesson).items()}
        energy = 0.5 * ((voltage.T @ scores) ** 2).sum(axis=1)
        square = np.einsum("bn,bn->n", voltage, voltage) / len(voltage)
        both, mine, true = (
            np.einsum("bn,bn->n", a, b) for a, b in ((estimate, exact), (estimate, estimate), (exact, exact))
        )
        told = exact != 0
        agree, told = (((estimate > 0) == (exact > 0)) & (estimate != 0) & told).sum(axis=0), told.sum(axis=0)
        self.unit_cosine = _ratio(both, np.sqrt(mine) * np.sqrt(true))
        layers = [(layer_name(layout, i), np.flatnonzero(layout.layer == i)) for i in range(layout.n_layers)]
        self.table = np.zeros(len(layers) + 1, dtype=ROW)
        for i, (name, here) in enumerate([*layers, ("all", np.arange(layout.size))]):
            a, b, signs = (
                np.sqrt(mine[here].sum()),
                np.sqrt(true[here].sum()),
                _ratio(agree[here].sum(), told[here].sum()),
            )
            measured = (_ratio(both[here].sum(), a * b), _ratio(a, b), signs, energy[here].sum(), square[here].mean())
            self.table[i] = (name, *measured, here.size)

    def __getitem__(self, layer: str) -> np.void:
        """The row of a layer, such as ``report["all"]["cosine"]``.

        Raises
        ------
        ParameterError
            If there is no such row; the message lists those that there are.
        """
        layers = self.table["layer"].tolist()
        row: np.void = self.table[layers.index(choose("layer", layer, layers))]
        return row

    def __str__(self) -> str:
        width = max(len(str(name)) for name in self.table["layer"])
        heads = f"{'layer':<{width}}  {'cosine':>7}  {'ratio':>8}  {'sign':>6}  {'1/2 |M|^2':>9}  {'V^2':>8}  {'n':>6}"
        lines = [f"Credits of {self.teaching} and exact ones, {self.n_samples} samples", "", heads]
        for row in self.table:
            lines.append(
                f"{row['layer']!s:<{width}}  {row['cosine']:7.3f}  {row['norm_ratio']:8.3g}  "
                f"{row['sign_agreement']:6.3f}  {row['decorrelation']:9.3g}  {row['mean_square']:8.3g}  {row['n']:6d}"
            )
        told = {"identity": self.identity, **self.metrics}
        return "\n".join([*lines, "", *(f"{name}: {value:.4g}" for name, value in told.items())])

    def __repr__(self) -> str:
        return f"<CreditFidelity of {self.teaching}: cosine {self['all']['cosine']:.3f}>"


def _ratio(a: Any, b: Any) -> Any:
    """a / b, nan where b is zero."""
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=np.asarray(b) > 0)


def credit_fidelity(
    network: Any,
    x: ArrayLike,
    y: ArrayLike,
    *,
    teaching: str | Teaching | Mapping[str, Any] = "per_soma",
    loss: str | Loss | Mapping[str, Any] = "cross_entropy",
    seed: int | np.random.SeedSequence = 0,
    warmup: Iterable[tuple[ArrayLike, ArrayLike]] = (),
    state: Mapping[str, NDArray[Any]] | None = None,
    threads: int | None = None,
) -> CreditFidelity:
    """Compare the credits of a teaching signal with the exact ones, layer by layer.

    `fidelity` compares gradients of parameters; this compares what the units are told before any rule makes an update
    of it. Both credits are of the same weights and the same batch; the network is not changed.

    Parameters
    ----------
    network : Network, PointMLP or Neurons
        Fresh or trained.
    x : array of shape (B, n_inputs)
        Inputs.
    y : array
        Classes (B,), or what else the loss takes.
    teaching : str, Teaching or mapping, default "per_soma"
        The teaching signal.
    loss : str, Loss or mapping, default "cross_entropy"
        The loss.
    seed : int or SeedSequence, default 0
        For random feedback and noise.
    warmup : iterable of (x, y)
        Batches that the teaching signal learns from before: correlations, feedback. Nothing else is learned on them.
    state : mapping, optional
        ``Learner.state()`` of the learner that trained the network: random feedback, correlations and learned feedback
        are then those it was trained with.
    threads : int, optional
        As for `Network.forward`.

    Returns
    -------
    CreditFidelity
        Cosine, ratio of lengths and agreement of signs per layer, and what the signal says of itself.

    Raises
    ------
    ParameterError
        If the teaching signal, the loss or the state do not suit the network, or nothing is taught.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> network = ds.Network.dendritic(20, 3, [4], [2, 2], 5, 5, dtype="float64")
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.random((50, 20)), rng.integers(0, 3, 50)
    >>> report = ds.credit_fidelity(network, x, y, teaching="per_soma")
    >>> report.table["layer"].tolist()
    ['layer1/stage 0', 'layer1/stage 1', 'layer1/stage 2', 'all']
    >>> round(float(report["layer1/stage 0"]["cosine"]), 12)
    1.0
    """
    learner = learner_of(network, teaching, loss=loss, seed=seed, threads=threads)
    if learner.teaching.frozen_core:
        raise ParameterError(f"{learner.teaching!r} tells units nothing, so that there is nothing to compare")
    if state is not None:
        restore("teaching", learner.teaching, state)
    for batch in several("warmup", warmup, "pairs (x, y), such as [(x0, y0), (x1, y1)]"):
        if not isinstance(batch, tuple) or len(batch) != 2:
            raise ParameterError(f"warmup must be pairs (x, y), such as [(x0, y0), (x1, y1)]; got {short(batch)}")
        learner.gradients(*batch)
    checked = network.checked(x)
    targets = learner.loss.checked(y, len(checked), network.n_outputs)
    return compare_credits(learner, checked, targets, learner.rng)


def compare_credits(learner: BaseLearner, x: Any, y: Any, rng: np.random.Generator) -> CreditFidelity:
    """Credits of a learner's teaching signal and exact ones on a checked minibatch; changes neither.

    Parameters
    ----------
    learner : BaseLearner
    x, y : arrays
        As for ``learner.step``.
    rng : numpy Generator
        What noise is drawn from instead of the learner's own generator.
    """
    lesson, _, _ = learner.taught(x, y)
    teaching, activity = learner.teaching, lesson.activity
    told, exact = lesson.twin(), lesson.twin()
    told.rng = rng
    passes = teaching.passes  # signals that perturb in order to tell count what they need
    teaching.credit(told)
    teaching.passes = passes
    exact.transport()
    estimate, true = (activity.batch_first(one.credit).astype(np.float64) for one in (told, exact))
    return CreditFidelity(told, estimate, true, teaching)


def learner_of(network: Any, teaching: Any, **options: Any) -> BaseLearner:
    """A learner for a model of any kind.

    Raises
    ------
    ParameterError
        If it is none that can learn, or the parts do not go together.
    """
    from ..networks.mlp import PointMLP
    from ..networks.network import Network
    from ..networks.neurons import Neurons

    # a decoder's own gradient is the same under every teaching signal
    options = {"decoder": "exact", **options}
    if isinstance(network, Network):
        from ..plasticity.learner import Learner

        return Learner(network, teaching, **options)
    if isinstance(network, PointMLP):
        from ..plasticity.point import PointLearner

        return PointLearner(network, teaching, **options)
    if isinstance(network, Neurons):
        from ..plasticity.neuron import NeuronLearner

        return NeuronLearner(network, teaching, **options)
    raise ParameterError(
        f"network={network!r} must be a Network, such as ds.Network.dendritic(...), a PointMLP, or Neurons"
    )
