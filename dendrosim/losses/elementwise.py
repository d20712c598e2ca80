"""Losses that are a sum over outputs of a function of one output and its target."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from .base import Floats, Loss
from .options import check_length
from .targets import Domain, classes_or_vectors, vectors


class ElementwiseLoss(Loss):
    """A sum over outputs; classes stand for one-hot vectors.

    Attributes
    ----------
    domain : Domain
        Which targets are possible.
    per_output : tuple of str
        Names of options that may hold one number per output.
    """

    domain: Domain = Domain()
    per_output: ClassVar[tuple[str, ...]] = ()

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), or numbers (B, n_outputs)."""
        for name in self.per_output:
            check_length(name, getattr(self, name), n_outputs)
        targets = classes_or_vectors(y, n_samples, n_outputs)
        self.domain.check(self.name, targets)
        return targets

    @abstractmethod
    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Loss and score of every output, all arrays (B, n_outputs) of the same type."""

    @abstractmethod
    def slope(self, o: Floats, y: Floats) -> Floats:
        """Derivative of every score by its output."""

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Sums of losses, and scores."""
        value, score = self.terms(o, vectors(y, o.shape[1], o.dtype))
        return value.sum(axis=1), score

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """The curvature is diagonal."""
        return self.slope(o, vectors(y, o.shape[1], o.dtype)) * v
