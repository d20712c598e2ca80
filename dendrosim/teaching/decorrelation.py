"""Credit from the correlation of a unit's activity with the error or the score: EBD and SBD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import flag, number, short
from ..construct import call_of
from ..errors import ParameterError, choose
from .base import Teaching
from .broadcast import REAL
from .decorrelated import functions_of, measures
from .expansions import Expansion
from .expansions import expansion as expansion_named
from .regularisers import Entropy, Power, Regulariser, Sparsity, layer_names, not_negative, of_units, samples_of
from .running import RunningMean, inner, outer

if TYPE_CHECKING:
    from ..losses import Loss
    from .lesson import Lesson

Floats = NDArray[Any]

OF, TIES, GAINS = ("output", "voltage"), ("compartment", "soma"), ("one", "1-lambda", "rms")
XAVIER_GAIN = 1e-2
"""Of the published multilayer perceptrons."""


class SBD(Teaching):
    """Score broadcast and decorrelation (Uzun et al. 2026, arXiv 2605.30638).

    Where the expected loss is least the score s = dl/do has mean zero given the input, and so is uncorrelated with
    every function of the input, hidden activity included. The correlations of each unit are followed,

        M <- decay M + (1 - decay) / B sum_b g(h_b) s_b^T,        M of shape (N, C), h = f(V),

    the present minibatch included, and descended: ``J_n = |M_n|^2 / 2`` with the score held fixed has the derivative

        dJ_n/dV_n = (1 - decay) g'(h_n) f'(V_n) (M s / B)_n

    by the voltage of a sample, which is the credit, sign and gain left out. With s / B, as in `Lesson.output_error`,
    credits estimate derivatives of the mean loss, and gradients are sums over samples. So far the rule is published,
    for the errors of the squared loss (`EBD`) and then for scores; the regularisers are EBD's. Expansions, gains, ties
    to the soma, whitening and the choice of the voltage are our constructions.

    **The sign.** sign=1 is the literal rule. It asks for less correlation, not for less loss, and the two can be
    opposed: at a soma with a linear decoder M^T = E[s h^T] *is* the gradient of the decoder's weights W (g the
    identity, decay 0). Followed over time -M therefore grows towards W, as a Kolen-Pollack feedback matrix does, and a
    decoder at rest under weight decay a has M^T = -a W exactly: the credit M s is then a negative multiple of the exact
    W^T s, and silence, h -> 0, decorrelates as well as learning does. What opposes this is a random M(0) that is
    forgotten slowly: as long as it dominates, the rule is direct feedback alignment, and decay=1 is that and nothing
    else. sign=-1 is the opposite, and no published rule; nothing changes sign by itself. `metrics` tell which way
    things go; `kp` is feedback that follows the decoder by construction. (Derived here.)

    Parameters
    ----------
    decay : float, default 0.99999
        Of the correlations, per minibatch, from 0 (this minibatch alone) to 1 (M(0) for ever: `dfa` with that matrix).
    initial : float or "xavier", default 1e-2
        Standard deviation of the normal entries of M(0); "xavier": uniform, within 1e-2 sqrt(6 / (n + C)) in a layer of
        n units.
    sign : {1, -1}, default 1
    g : str, pair of callables or list of these, default "identity"
        What is decorrelated: "identity", "centred" (h less its running mean), "square", "tanh", or (g, g'), two
        functions of arrays. Of several the objectives are added.
    of : {"output", "voltage"}, default "output"
        h = f(V), or h = V, whose credit has no f'.
    expansion : str, Expansion or mapping, optional
        More signals than the score (`expansions`), plain by default.
    include_current : bool, default True
        As published; False: credit uses the M from before the minibatch, so that a sample does not meet itself in it.
    tie : {"compartment", "soma"}, default "compartment"
        Whether every unit follows correlations of its own, or only somas do and all of a cell is told its soma's.
    gain : str or float or one per layer, default "one"
        Factor of the credit: "one"; "1-lambda", (1 - decay), the literal gradient; "rms", a slow factor per layer such
        that credits are as large as the exact ones of the somas that are read.
    power, entropy, sparsity : optional
        (strength, target), (strength, ridge, decay) and strength of `Power`, `Entropy`, `Sparsity`, all of them on h.
    whiten : float, optional
        Broadcast D s instead of s, D = (E[s s^T] C / tr E[s s^T] + whiten)^(-1/2) from a running mean.
    forward : float, default 0.0
        Forward projection: besides its loss the decoder descends forward times the sum over layers of J / (1 - decay),
        through the score; not with an expansion.

    Raises
    ------
    ParameterError
        If a value is impossible, or nothing would ever be told.
    """

    name: ClassVar[str] = "sbd"

    def __init__(
        self,
        decay: float = 0.99999,
        initial: float | str = 1e-2,
        sign: int = 1,
        g: Any = "identity",
        of: str = "output",
        expansion: str | Expansion | Mapping[str, Any] | None = None,
        include_current: bool = True,
        tie: str = "compartment",
        gain: str | float | Sequence[float] = "one",
        power: Sequence[Any] | None = None,
        entropy: Sequence[Any] | None = None,
        sparsity: float | Sequence[float] | None = None,
        whiten: float | None = None,
        forward: float = 0.0,
    ) -> None:
        self.decay = number("decay", decay, least=0.0, most=1.0)
        self.initial = (
            "xavier"
            if isinstance(initial, str) and initial == "xavier"
            else number("initial (or 'xavier')", initial, least=0.0)
        )
        if isinstance(sign, bool) or not isinstance(sign, int | np.integer) or sign not in (1, -1):
            raise ParameterError(f"sign={short(sign)} must be 1, the published rule, or -1, its opposite")
        self.sign = int(sign)
        self.g, self._functions = g, functions_of(g)
        self.of, self.tie = choose("of", of, OF), choose("tie", tie, TIES)
        self.expansion = expansion
        self.include_current = flag("include_current", include_current)
        self.gain = choose("gain", gain, GAINS) if isinstance(gain, str) else not_negative("gain", gain)
        self.power, self.entropy, self.sparsity = power, entropy, sparsity
        self.whiten = None if whiten is None else number("whiten", whiten, above=0.0)
        self.forward = number("forward", forward, least=0.0)
        self.needs_decoder = self.forward > 0.0
        if self.decay == 1.0 and (self.initial == 0.0 or gain == "1-lambda"):
            what = "initial=0" if self.initial == 0.0 else "gain='1-lambda'"
            raise ParameterError(f"decay=1 and {what} tell nothing, ever; use a decay below 1, such as 0.99999")
        if self.forward and expansion is not None:
            raise ParameterError("forward projection goes through the plain score; use expansion=None or forward=0")
        self._expansion = expansion_named(expansion)
        self._regularisers: dict[str, Regulariser] = {}
        for kind, given in ((Power, power), (Entropy, entropy), (Sparsity, sparsity)):
            if given is not None:
                self._regularisers[kind.name] = _regulariser(kind, given)

    def prepare(self, network: Any, rng: np.random.Generator) -> None:
        layout = network.layout
        if self.forward and not any(name.startswith("decoder") for name in network.parameters):
            raise ParameterError("forward projection teaches a decoder, and readout='soma' has none; use forward=0")
        self._layout, self._dtype = layout, network.dtype
        self._units = layout.roots if self.tie == "soma" else np.arange(layout.size)
        self._layer = layout.layer[self._units]
        shape = (len(self._functions), self._units.size, self._expansion.size(network))
        if self.initial == "xavier":
            size = np.bincount(self._layer, minlength=layout.n_layers)[self._layer]
            bound = XAVIER_GAIN * np.sqrt(6.0 / (size + shape[2]))[:, None]
            self._matrix: Floats = rng.uniform(-bound, bound, shape)
        else:
            self._matrix = rng.standard_normal(shape) * float(self.initial)
        self._next = self._matrix
        self._expansion.prepare(network, rng)
        self._centre = RunningMean((self._units.size,))
        self._moment = RunningMean((shape[2], shape[2]))
        self._told = RunningMean((layout.n_layers,))
        self._wanted = RunningMean(())
        self._fixed_gain: Floats | None = None
        if not isinstance(self.gain, str):
            self._fixed_gain = of_units("gain", self.gain, layout).astype(network.dtype)
        for regulariser in self._regularisers.values():
            regulariser.prepare(layout)

    def suits(self, loss: Loss) -> None:
        if not loss.admissible:
            raise ParameterError(
                f"teaching {self.name!r} needs a loss whose score is uncorrelated with everything at its optimum, and "
                f"that of {loss.name!r} is not: {loss.why} Use another loss, or teaching='dfa'"
            )
        self._expansion.suits(loss)

    def observe(self, lesson: Lesson) -> None:
        self._expansion.observe(lesson)
        if self.whiten is not None:
            self._moment.update(_second_moment(self._expanded(lesson)))
        if self.decay < 1.0:
            self._correlate(lesson)
        if self.gain == "rms":
            self._tell(lesson)
            self._told.update(self._mean_square(lesson))
            self._wanted.update(_soma_power(lesson))
        h = self._all(lesson)
        for regulariser in self._regularisers.values():
            regulariser.observe(h, lesson.activity.n_samples)

    def _correlate(self, lesson: Lesson) -> None:
        """Take a minibatch into the correlations."""
        error, h = self._errors(lesson), self._values(lesson)
        self._matrix = self._next
        new = np.zeros(self._matrix.shape)
        for total, function in zip(new, self._functions, strict=True):
            for k, e in enumerate(error):
                total += function.value(h[k]) @ e.T
            if function.centred:
                self._centre.update(_mean(h, lesson.activity.n_samples))
                total -= np.outer(self._centre.value, error.sum(axis=(0, 2)))
        self._next = self.decay * self._next + (1.0 - self.decay) * new
        if self.include_current:
            self._matrix = self._next

    def credit(self, lesson: Lesson) -> None:
        self._tell(lesson)
        gain = self._gain(lesson)
        if gain is not None:
            lesson.credit *= gain[:, None]
        slope = lesson.activity.derivative if self.of == "output" else None
        for regulariser in self._regularisers.values():
            regulariser.add(self._all(lesson), slope, lesson.activity.n_samples, lesson.credit)

    def _tell(self, lesson: Lesson) -> None:
        """Credits before gains that differ between units, and without regularisers."""
        a, error, h = lesson.activity, self._errors(lesson), self._values(lesson)
        scale = self.sign * (1.0 - self.decay if self.gain == "1-lambda" else 1.0)
        told = lesson.credit if self.tie == "compartment" else np.empty(h.shape, h.dtype)
        for i, (function, matrix) in enumerate(zip(self._functions, self._matrix, strict=True)):
            weights = (scale * matrix).astype(self._dtype)
            if i == 0:
                np.matmul(weights, error, out=told)
                function.chain(h, told)
            else:
                more = weights @ error
                function.chain(h, more)
                told += more
        if self.tie == "soma" and self.of == "output":
            lesson.broadcast(told, told)
        elif self.tie == "soma":
            np.take(told, self._layout.cell, axis=1, out=lesson.credit)
        elif self.of == "output":
            lesson.credit *= a.derivative

    def _gain(self, lesson: Lesson) -> Floats | None:
        """Factor of every unit, or None for 1; before anything was observed, from the credit that was just told."""
        if self.gain != "rms":
            return self._fixed_gain
        seen = self._told.count > 0
        told = self._told.value if seen else self._mean_square(lesson)
        wanted = self._wanted.value if seen else _soma_power(lesson)
        layer = np.sqrt(np.divide(wanted, told, out=np.ones_like(told), where=told > 0.0))
        gain: Floats = layer[self._layout.layer].astype(self._dtype)
        return gain

    def _mean_square(self, lesson: Lesson) -> Floats:
        """Mean square of the credit of each layer, per unit and sample."""
        each = np.einsum("knw,knw->n", lesson.credit, lesson.credit)
        count = np.bincount(self._layout.layer) * lesson.activity.n_samples
        mean: Floats = np.bincount(self._layout.layer, weights=each) / count
        return mean

    def _all(self, lesson: Lesson) -> Floats:
        """h of all units, in blocks."""
        found: Floats = lesson.activity.output if self.of == "output" else lesson.activity.voltage
        return found

    def _values(self, lesson: Lesson) -> Floats:
        """h of the units that follow correlations, in blocks."""
        h = self._all(lesson)
        found: Floats = h if self.tie == "compartment" else h[:, self._units]
        return found

    def _expanded(self, lesson: Lesson) -> Floats:
        return self._expansion.expand(lesson, lesson.activity.blocks(lesson.output_error))

    def _errors(self, lesson: Lesson) -> Floats:
        """What is broadcast, in blocks, with the batch's 1/B."""
        error = self._expanded(lesson)
        return error if self.whiten is None else self._whitener(error) @ error

    def _whitener(self, error: Floats) -> Floats:
        """D, symmetric, from the running mean; before it has anything, from the errors at hand."""
        moment = self._moment.value if self._moment.count else _second_moment(error)
        size, axes = np.linalg.eigh(moment * (len(moment) / max(float(np.trace(moment)), np.finfo(np.float64).tiny)))
        found: Floats = (axes / np.sqrt(np.maximum(size, 0.0) + self.whiten)) @ axes.T
        return found.astype(self._dtype)

    def pull(self, lesson: Lesson, layer: int | None = None) -> Floats:
        """Derivative of the sum of J / (1 - decay) by the outputs of each sample, through the score, over B: (B, C).

        The part of the gradient of J that the rule leaves out of hidden units, and that forward projection gives to
        the decoder.

        Parameters
        ----------
        lesson : Lesson
            The minibatch.
        layer : int, optional
            J of this layer alone.

        Returns
        -------
        float array of shape (B, C)
        """
        h, chosen = self._values(lesson), slice(None) if layer is None else self._layer == layer
        total = np.zeros((lesson.activity.n_blocks, self._matrix.shape[2], lesson.activity.width), self._dtype)
        for function, matrix in zip(self._functions, self._matrix, strict=True):
            weights = matrix[chosen].astype(self._dtype)
            centre = self._centre.value[chosen, None].astype(self._dtype) if function.centred else 0.0
            for k in range(len(total)):
                total[k] += weights.T @ (function.value(h[k][chosen]) - centre)
        if self.whiten is not None:
            total = self._whitener(self._expanded(lesson)) @ total
        v = lesson.activity.batch_first(total)
        product = lesson.loss.curvature_product(lesson.activity.logits, lesson.targets, v) / self._dtype.type(len(v))
        found: Floats = product.astype(self._dtype, copy=False)
        return found

    def full_credit(self, lesson: Lesson, layer: int) -> Floats:
        """dJ/dV_n of the units of a layer without anything held fixed, for diagnostics.

        The rule descends ``|M|^2 / 2`` through the activity alone; here the change of the score that comes of a change
        of voltage is added, transported back exactly. Sign, gain, ties and regularisers have no part in it.

        Parameters
        ----------
        lesson : Lesson
            After `observe`; its credit is left as it is.
        layer : int

        Returns
        -------
        array of shape (n_blocks, N, width)
            Zero outside the layer. With (1 - decay) in it: the gradient of J after this minibatch.

        Raises
        ------
        ParameterError
            With an expansion, with ``tie="soma"`` or with ``include_current=False``.
        """
        if self.expansion is not None or self.tie != "compartment" or not self.include_current:
            raise ParameterError("full_credit needs expansion=None, tie='compartment' and include_current=True")
        direct, shaped, network = lesson.twin(), lesson.twin(), lesson.network
        self._tell(direct)
        shaped.output_error = self.pull(lesson, layer)
        shaped.soma_error = network.decoder.backward(network.parameters, lesson.activity.soma, shaped.output_error)[1]
        shaped.transport()
        told = self.sign * (1.0 if self.gain == "1-lambda" else 1.0 - self.decay)
        credit: Floats = told * direct.credit + (1.0 - self.decay) * shaped.credit
        credit[:, self._layout.layer != layer] = 0.0
        return credit

    def amend(self, lesson: Lesson, gradients: dict[str, Floats]) -> None:
        if self.forward:
            network = lesson.network
            found, _ = network.decoder.backward(network.parameters, lesson.activity.soma, self.pull(lesson))
            for key, value in found.items():
                gradients[key] += self._dtype.type(self.sign * self.forward) * value

    def objectives(self) -> Floats:
        """``J = |M|^2 / 2`` of every layer."""
        each = 0.5 * np.square(self._matrix).sum(axis=(0, 2))
        found: Floats = np.bincount(self._layer, weights=each, minlength=self._layout.n_layers)
        return found

    def metrics(self, lesson: Lesson) -> dict[str, float]:
        """``J/<layer>`` and ``M/<layer>``, objective and Frobenius norm, and what `measures` finds."""
        names, j = layer_names(self._layout), self.objectives()
        found = {f"J/{name}": float(value) for name, value in zip(names, j, strict=True)}
        found |= {f"M/{name}": float(np.sqrt(2.0 * value)) for name, value in zip(names, j, strict=True)}
        return found | measures(lesson)

    def bits_per_sample(self, network: Any) -> float:
        return REAL * self._expansion.size(network)

    def state(self) -> dict[str, Floats]:
        kept = {"matrix": self._matrix.copy(), "next": self._next.copy()}
        for name, part in self._parts().items():
            kept |= outer(part.state(), name)
        return kept

    def restore(self, state: dict[str, Floats]) -> None:
        self._matrix = state["matrix"].copy()
        self._next = self._matrix if self.include_current else state["next"].copy()
        for name, part in self._parts().items():
            part.restore(inner(state, name))

    def _parts(self) -> dict[str, Any]:
        means = {"centre": self._centre, "moment": self._moment, "told": self._told, "wanted": self._wanted}
        return {"expansion": self._expansion, **means, **self._regularisers}

    def __repr__(self) -> str:
        return call_of(self)


class EBD(SBD):
    """Error broadcast and decorrelation (Erdogan, Pehlevan & Erdogan 2025, arXiv 2504.11558).

    It is `SBD` of the squared loss, whose score is the error o - y; options are those of `SBD`.
    """

    name: ClassVar[str] = "ebd"

    def suits(self, loss: Loss) -> None:
        if loss.name != "mse":
            raise ParameterError(
                f"teaching 'ebd' broadcasts the errors of the squared loss, and the loss is {loss.name!r}; use "
                "loss='mse', or teaching='sbd', which broadcasts the score of any loss"
            )
        super().suits(loss)


def _regulariser(kind: type[Regulariser], given: Any) -> Regulariser:
    """A regulariser from its arguments in order, or from its strength alone."""
    wanted = {"power": "(strength, target)", "entropy": "(strength, ridge, decay)", "sparsity": "a strength"}[kind.name]
    arguments = [given] if kind is Sparsity else given
    try:
        return kind(*arguments)
    except TypeError:
        raise ParameterError(f"{kind.name}={short(given)} must be {wanted}") from None


def _mean(h: Floats, n_samples: int) -> Floats:
    """Mean over samples, (rows,)."""
    total = sum(part @ np.ones(w, h.dtype) for _, w, part in samples_of(h, n_samples))
    return np.asarray(total / n_samples, np.float64)


def _second_moment(error: Floats) -> Floats:
    """Sum over samples of e e^T, (C', C')."""
    found: Floats = np.einsum("kcw,kdw->cd", error, error).astype(np.float64)
    return found


def _soma_power(lesson: Lesson) -> Floats:
    """Mean square of the exact dL/dV of the somas that are read."""
    layout, a = lesson.network.layout, lesson.activity
    slope = a.batch_first(a.derivative[:, layout.roots[layout.readout]])
    return np.asarray(np.mean(np.square(lesson.soma_error * slope), dtype=np.float64))
