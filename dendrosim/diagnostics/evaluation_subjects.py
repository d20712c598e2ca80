"""What can be audited: anything that offers activity, exact gradients and credits of its layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, short
from ..errors import ParameterError
from .evaluation import Layers

if TYPE_CHECKING:
    from ..networks.residual import ResidualNetwork
    from ..plasticity.residual import ResidualLearner
    from ..teaching.residual import LayerCredit

Floats = NDArray[Any]


class Auditable(ABC):
    """A trained model with the credit rule that trained it.

    A subclass gives `layers` and `predict`; the other methods are for the tests that need them, and say so where a
    model cannot offer them.

    Attributes
    ----------
    name : str
        For reports.
    """

    name: str = "model"

    @abstractmethod
    def layers(self, x: ArrayLike, y: ArrayLike) -> Layers:
        """Activity, exact gradients of every sample's own loss, and credits.

        Parameters
        ----------
        x : array of shape (N, n_inputs)
        y : int array of shape (N,)
            Classes.
        """

    @abstractmethod
    def predict(self, x: ArrayLike) -> Floats:
        """Logits of shape (N, n_classes) of `x`."""

    def in_double(self) -> Auditable:
        """The same model in float64.

        Raises
        ------
        ParameterError
            If it has none.
        """
        raise ParameterError(f"{self.name} has no twin in float64; nudges at large activity are below a float32 step")

    def losses_after(self, x: ArrayLike, y: ArrayLike, layer: int, move: Floats) -> Floats:
        """Loss of every sample of `x` and `y`, (N,), once `move`, (N, d_l), has been added to h_l, l = `layer`.

        Raises
        ------
        ParameterError
            If the model cannot be nudged.
        """
        raise ParameterError(f"{self.name} cannot be nudged: its layers cannot be moved one by one")

    def redrawn(self, rng: np.random.Generator) -> Auditable:
        """The same model with its random feedback drawn afresh by `rng`.

        Raises
        ------
        ParameterError
            If it has no random feedback.
        """
        raise ParameterError(f"{self.name} has no random feedback that could be drawn afresh")


def auditable(subject: object) -> None:
    """See that something can be audited, or say what can be.

    Raises
    ------
    ParameterError
        If it cannot.
    """
    if not isinstance(subject, Auditable):
        raise ParameterError(
            "subject must be Auditable, such as ds.diagnostics.DendriticSubject(network) or "
            f"ResidualSubject(network, 'dfa'); got {short(subject)}"
        )


class ResidualSubject(Auditable):
    """A `ResidualNetwork` and what tells its layers; made from them, or from the learner that trained it.

    Parameters
    ----------
    network : ResidualNetwork
    teaching : str, LayerCredit or mapping, default "bp"
    penalty : float, default 0.0
        Of the rule; only backpropagation hears of it.
    state : mapping, optional
        ``learner.state()``: feedback and probes as they were in training.
    seed : int or SeedSequence, default 0
        That feedback is drawn from where no state is given.
    """

    def __init__(
        self,
        network: ResidualNetwork,
        teaching: str | LayerCredit | Mapping[str, Any] = "bp",
        *,
        penalty: float = 0.0,
        state: Mapping[str, NDArray[Any]] | None = None,
        seed: int | np.random.SeedSequence = 0,
    ) -> None:
        from ..networks.residual import ResidualNetwork
        from ..plasticity.residual import BlockRule, ResidualLearner
        from .fidelity_of import restore

        instance("network", network, ResidualNetwork, "such as ds.networks.ResMLP(3072, 10)")
        learner = ResidualLearner(network, teaching, BlockRule(penalty), seed=seed)
        if state is not None:
            restore("teaching", learner.teaching, state)
        self._take(learner)

    @classmethod
    def of(cls, learner: ResidualLearner) -> Self:
        """The network that a `learner` trains, and its credit rule, as they are now; not copied."""
        made = cls.__new__(cls)
        made._take(learner)
        return made

    def _take(self, learner: ResidualLearner) -> None:
        self.learner, self.network = learner, learner.network
        self.name = f"{type(self.network).__name__} under {learner.teaching!r}"

    def layers(self, x: ArrayLike, y: ArrayLike) -> Layers:
        learner, network = self.learner, self.network
        checked = network.checked(x)
        targets = learner.loss.checked(y, len(checked), network.n_outputs)
        lesson, losses = learner.lesson(checked, targets, share=1.0)
        a, penalty = lesson.passage, lesson.penalty
        lesson.penalty = 0.0
        gradient = [g.copy() for g in lesson.transport()]
        lesson.penalty = penalty
        credits = learner.credits(lesson)
        copies: dict[int, Floats] = {}  # told and reported may be the same arrays, which the next batch overwrites

        def kept(array: Floats) -> Floats:
            return copies.setdefault(id(array), array.copy())

        return Layers(
            activity=[h.copy() for h in a.h],
            gradient=gradient,
            told=[kept(one) for one in credits.told],
            reported=[kept(one) for one in credits.reported],
            first=kept(credits.embedding),
            loss=losses,
        )

    def predict(self, x: ArrayLike) -> Floats:
        return self.network.predict(x)

    def in_double(self) -> ResidualSubject:
        from ..plasticity.residual import ResidualLearner

        given = self.learner
        made = ResidualLearner(self.network.astype("float64"), given.teaching, given.rule, loss=given.loss)
        made.teaching.restore(given.teaching.state())
        return ResidualSubject.of(made)

    def losses_after(self, x: ArrayLike, y: ArrayLike, layer: int, move: Floats) -> Floats:
        network, loss = self.network, self.learner.loss
        a = network.forward(x)
        targets = loss.checked(y, a.n_samples, network.n_outputs)
        return loss.evaluate(network.run_from(layer, a.h[layer] + move, a), targets)[0]

    def redrawn(self, rng: np.random.Generator) -> ResidualSubject:
        from ..plasticity.residual import ResidualLearner

        made = ResidualLearner(self.network, self.learner.teaching, self.learner.rule, loss=self.learner.loss)
        made.teaching.redraw(self.network, rng)
        return ResidualSubject.of(made)
