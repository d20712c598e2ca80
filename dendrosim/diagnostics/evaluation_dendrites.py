"""Dendritic networks under the evaluation protocol: stages of compartments are the depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError
from .credit_of import learner_of
from .evaluation import Layers
from .evaluation_subjects import Auditable
from .fidelity_of import restore
from .parts import layer_name

if TYPE_CHECKING:
    from ..losses import Loss
    from ..plasticity.learning import BaseLearner
    from ..teaching import Teaching

Floats = NDArray[Any]


class DendriticSubject(Auditable):
    """A dendritic `Network`, or a `PointMLP` of two hidden layers or more, and the teaching signal that trained it.

    Layers are the stages of compartments in the order in which signals pass them: the tips of the first population are
    h_0, which only inputs reach, its somas come after its last branches, then the tips of the next population, and the
    somas that the decoder reads are h_L. Activity is the voltage, and every compartment is told of its own voltage: its
    credit stands for dL/dV_n there, so that ``reported`` is the credit of h_l and ``told`` that of h_{l+1}. What the
    tips are told is ``first``.

    The frozen baseline of a network is one of the same architecture trained with ``teaching="decoder_only"``: no
    compartment learns. Audited itself it has activity and gradients, credits of zero, and no cosine.

    Parameters
    ----------
    network : Network or PointMLP
    teaching : str, Teaching or mapping, default "per_soma"
    loss : str, Loss or mapping, default "cross_entropy"
    state : mapping, optional
        ``Learner.state()`` of the learner that trained it: feedback and averages as they were then.
    seed : int or SeedSequence, default 0
        That random feedback is drawn from where no state is given.
    threads : int, optional

    Raises
    ------
    ParameterError
        If the teaching signal does not suit the network, or there are no two stages.
    """

    def __init__(
        self,
        network: Any,
        teaching: str | Teaching | Mapping[str, Any] = "per_soma",
        *,
        loss: str | Loss | Mapping[str, Any] = "cross_entropy",
        state: Mapping[str, NDArray[Any]] | None = None,
        seed: int | np.random.SeedSequence = 0,
        threads: int | None = None,
    ) -> None:
        learner = learner_of(network, teaching, loss=loss, seed=seed, threads=threads)
        if state is not None:
            restore("teaching", learner.teaching, state)
        self._take(learner)

    @classmethod
    def of(cls, learner: BaseLearner) -> DendriticSubject:
        """The network that a `learner` trains, and its teaching signal, as they are now; not copied."""
        made = cls.__new__(cls)
        made._take(learner)
        return made

    def _take(self, learner: BaseLearner) -> None:
        from ..networks.mlp import PointMLP
        from ..networks.network import Network

        network = learner.network
        if not isinstance(network, Network | PointMLP):
            raise ParameterError(
                f"{network!r} must be a Network or a PointMLP; it has no stages that lead to a decoder"
            )
        layout: Any = network.layout
        order = list(range(layout.n_layers))
        if isinstance(network, Network):  # stages count from the soma outwards, signals come inwards
            names = [population for population, _ in layout.layers]
            order.sort(key=lambda i: (names.index(layout.layers[i][0]), -layout.layers[i][1]))
        if len(order) < 2:
            raise ParameterError(f"{network!r} has a single stage of units, and so no depth to audit")
        self.learner, self.network = learner, network
        self.stages = tuple(layer_name(layout, i) for i in order)
        self._units = [np.flatnonzero(layout.layer == i) for i in order]
        self.name = f"{type(network).__name__} under {learner.teaching!r}"

    def _lesson(self, x: ArrayLike, y: ArrayLike) -> tuple[Any, Floats]:
        learner, network = self.learner, self.network
        checked = network.checked(x)
        targets = learner.loss.checked(y, len(checked), network.n_outputs)
        lesson, losses, _ = learner.taught(checked, targets)
        return lesson, losses

    def layers(self, x: ArrayLike, y: ArrayLike) -> Layers:
        lesson, losses = self._lesson(x, y)
        teaching, a = self.learner.teaching, lesson.activity
        told, exact = lesson.twin(), lesson.twin()
        passes = teaching.passes  # a look is no pass of the training
        teaching.credit(told)
        teaching.passes = passes
        exact.transport()
        voltage, credit, gradient = (a.batch_first(v) for v in (a.voltage, told.credit, exact.credit))
        credits, gradients = ([v[:, units] * len(v) for units in self._units] for v in (credit, gradient))
        return Layers(
            activity=[voltage[:, units] for units in self._units],
            gradient=gradients,
            told=credits[1:],
            reported=credits[:-1],
            first=credits[0],
            loss=losses,
        )

    def predict(self, x: ArrayLike) -> Floats:
        found: Floats = self.network.predict(x, threads=self.learner.threads)
        return found

    def in_double(self) -> DendriticSubject:
        given = self.learner
        made = learner_of(_in_double(self.network), given.teaching, loss=given.loss, threads=given.threads)
        made.teaching.restore(given.teaching.state())
        return DendriticSubject.of(made)

    def losses_after(self, x: ArrayLike, y: ArrayLike, layer: int, move: Floats) -> Floats:
        lesson, _ = self._lesson(x, y)
        a, size = lesson.activity, self.network.layout.size
        every = np.zeros((a.n_samples, size), self.network.dtype)
        every[:, self._units[layer]] = move
        logits = lesson.perturbed(a.blocks(every)[None])[0]
        losses: Floats = self.learner.loss.evaluate(logits, lesson.targets)[0]
        return losses

    def redrawn(self, rng: np.random.Generator) -> DendriticSubject:
        given = self.learner
        if "fa" not in given.teaching.name and given.teaching.name != "low_rank":
            raise ParameterError(
                f"{given.teaching!r} has no fixed random feedback to draw afresh; 'dfa', 'fa' and 'low_rank' have"
            )
        seed = np.random.SeedSequence(int(rng.integers(2**63)))
        return DendriticSubject.of(
            learner_of(self.network, given.teaching, loss=given.loss, seed=seed, threads=given.threads)
        )


def _in_double(network: Any) -> Any:
    from ..networks import files
    from ..networks.mlp import PointMLP

    if isinstance(network, PointMLP):
        content = network.content()
        return PointMLP.from_content({**content, "options": {**content["options"], "dtype": "float64"}})
    content = files.content(network)
    settings = {**json.loads(content["settings"]), "dtype": "float64"}
    return files.network({**content, "settings": json.dumps(settings)}, "this network")
