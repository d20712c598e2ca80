"""Learning of point neurons: backpropagation, and every other teaching signal that needs no dendrites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, short
from ..errors import ParameterError
from ..networks.mlp import PointMLP
from ..networks.point import PointActivity
from ..teaching import TEACHING, Teaching
from ..teaching import teaching as teaching_named
from ..teaching.point import PointLesson
from .learning import BaseLearner
from .rules import Rule
from .rules import rule as rule_named

Floats = NDArray[Any]

GROUPS = ("hidden", "decoder")
RATE = 1e-3
"""Of both groups, as in the published runs of backpropagation."""
DENDRITIC = ("local_mismatch", "mirror")
"""Teaching signals that are about what passes along a dendrite."""


class PointLearner(BaseLearner):
    """Learning of one `PointMLP` by any teaching signal that needs no dendrites; changes it in place.

    Parameters are those of `BaseLearner`; rates and decays are of ``hidden`` and ``decoder``. The only rule is "3F":
    input, derivative and credit. With ``teaching="exact"`` it is backpropagation, and so it is with "per_soma", for
    every hidden unit is a soma. `threads` is without effect: products of matrices are numpy's, whose threads
    OPENBLAS_NUM_THREADS, or the like, sets.

    Examples
    --------
    >>> import numpy as np
    >>> from dendrosim.networks import PointMLP
    >>> x, y = np.random.default_rng(0).random((20, 6), np.float32), np.arange(20) % 3
    >>> learner = PointLearner(PointMLP(6, 3, [8, 5]), "dfa", rates=0.05)
    >>> before = learner.step(x, y)[0]
    >>> learner.step(x, y)[0] < before
    True
    """

    network: PointMLP
    rate_groups: ClassVar[tuple[str, ...]] = GROUPS

    def __init__(
        self,
        network: PointMLP,
        teaching: str | Teaching | Mapping[str, Any] = "per_soma",
        rule: str | Rule | Mapping[str, Any] = "3F",
        **options: Any,
    ) -> None:
        instance("network", network, PointMLP, "such as ds.networks.PointMLP(784, 10, [1024, 512])")
        network.threads_for(1, options.get("threads"))
        teaching, rule = teaching_named(teaching), rule_named(rule)
        inner = getattr(teaching, "teaching", teaching)  # of one that is degraded
        if inner.name in DENDRITIC:
            valid = ", ".join(repr(name) for name in TEACHING if name not in DENDRITIC)
            raise ParameterError(f"teaching={inner.name!r} needs dendrites; a point MLP learns with one of {valid}")
        if rule.modulators or rule.eligibility != "matched":
            raise ParameterError(
                f"rule={short(rule.name)} needs dendrites; a point MLP learns with rule='3F': input, derivative, credit"
            )
        super().__init__(network, teaching, rule, **options)
        self._activity: PointActivity | None = None
        self._credit: Floats | None = None

    @staticmethod
    def default_rates(exact: bool) -> dict[str, float]:
        return dict.fromkeys(GROUPS, RATE)

    @staticmethod
    def group_of(parameter: str) -> str:
        return parameter.partition("_")[0]

    def lesson(self, x: Floats, y: NDArray[Any]) -> tuple[PointLesson, Floats]:
        network = self.network
        reused = self._activity if self._activity is not None and self._activity.n_samples == len(x) else None
        activity = self._activity = network.run(x, None, reused)
        if self._credit is None or reused is None:
            self._credit = activity.empty(network.layout.size)
        losses, error = self.loss.evaluate(activity.logits, y)
        error /= len(x)
        later = np.empty(0, network.dtype)
        return PointLesson(network, activity, y, error, later, self.rng, 1, self._credit, self.loss), losses

    def _contract(self, lesson: PointLesson) -> None:
        """Presynaptic activity times credit, summed over the batch."""
        a, network, values = lesson.activity, self.network, self._values
        below = a.x
        for i, (first, last) in enumerate(network.layout.cells_of):
            credit = lesson.credit[0, first:last]
            weight = f"hidden_weight_{i}"
            np.matmul(credit, below, out=values[weight])
            np.sum(credit, axis=1, out=values[f"hidden_bias_{i}"])
            if weight in network.masks:
                values[weight] *= network.masks[weight]
            below = a.output[0, first:last].T

    def _update(self, values: dict[str, Floats], n_samples: int) -> None:
        core = {name: array for name, array in self.network.parameters.items() if self.group_of(name) != "decoder"}
        self._update_arrays(core, values)
