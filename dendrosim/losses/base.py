"""What a loss is: a number for every sample, and its derivative by the outputs, the score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..construct import call_of
from ..errors import ParameterError

Floats = NDArray[Any]


class Loss(ABC):
    """Compares outputs with targets, sample by sample.

    Outputs ``o`` are unconstrained numbers of shape (B, n_outputs), such as logits; each loss says what they mean.
    Nothing here is divided by the number of samples.

    `value`, `score` and `score_product` check what they are given. `evaluate` and `curvature_product` do the same work
    unchecked, for loops: they take floating-point outputs, and targets that went through `checked`.

    Attributes
    ----------
    admissible : bool
        Whether the score has conditional mean zero, E[s(o*(x), y) | x] = 0, at the outputs o*(x) of least expected
        loss. Then the score of the optimum is uncorrelated with every function of the input, hidden activity included,
        which is what decorrelating teaching signals rest on.
    why : str
        One sentence on why, or why not; a subclass gives it.
    """

    name: ClassVar[str]
    admissible: bool = True
    why: str

    @abstractmethod
    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Targets as `evaluate` takes them.

        Parameters
        ----------
        y : array-like
            Integers of shape (B,) are classes, and stand for one-hot vectors; anything else has one row per sample.
        n_samples, n_outputs : int
            Shape of the outputs.

        Raises
        ------
        ParameterError
            If the shape is wrong, or a value is impossible for this loss; the message says what would work.
        """

    @abstractmethod
    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss (B,) and score (B, n_outputs) of outputs `o` and checked targets `y`, in the type of `o`."""

    @abstractmethod
    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """The transposed derivative of the score by the outputs `o` times `v`, (ds/do)^T v, at targets `y`."""

    def value(self, o: ArrayLike, y: ArrayLike) -> Floats:
        """Loss of every sample.

        Parameters
        ----------
        o : array-like of shape (B, n_outputs)
            Outputs.
        y : array-like
            Targets; see `checked`.

        Returns
        -------
        float array of shape (B,)

        Raises
        ------
        ParameterError
            If shapes do not fit, or a target is impossible.
        """
        return self.evaluate(*self._both(o, y))[0]

    def score(self, o: ArrayLike, y: ArrayLike) -> Floats:
        """Derivative of every sample's loss by its outputs.

        Parameters
        ----------
        o : array-like of shape (B, n_outputs)
            Outputs.
        y : array-like
            Targets; see `checked`.

        Returns
        -------
        float array of shape (B, n_outputs)

        Raises
        ------
        ParameterError
            If shapes do not fit, or a target is impossible.
        """
        return self.evaluate(*self._both(o, y))[1]

    def score_product(self, o: ArrayLike, y: ArrayLike, v: ArrayLike) -> Floats:
        """Derivative of the score by the outputs, transposed, times a vector: (ds/do)^T v, sample by sample.

        Parameters
        ----------
        o : array-like of shape (B, n_outputs)
            Outputs.
        y : array-like
            Targets; see `checked`.
        v : array-like of shape (B, n_outputs)

        Returns
        -------
        float array of shape (B, n_outputs)

        Raises
        ------
        ParameterError
            If shapes do not fit, or a target is impossible.
        """
        outputs, targets = self._both(o, y)
        vector = numbers("v", v)
        if vector.shape != outputs.shape:
            raise ParameterError(f"v has shape {vector.shape}; expected that of the outputs, {outputs.shape}")
        return self.curvature_product(outputs, targets, vector.astype(outputs.dtype, copy=False))

    def correct(self, o: Floats, y: NDArray[Any]) -> int:
        """Number of samples for which outputs `o` speak for the class, or for the largest of the targets `y`.

        None with a single output, which leaves nothing to choose from.
        """
        if o.shape[1] == 1:
            return 0
        classes = y if y.ndim == 1 else y.argmax(axis=1)
        return int((self.decided(o) == classes).sum())

    def decided(self, o: Floats) -> NDArray[Any]:
        """The class that the outputs `o` speak for, (B,): by default that of the largest."""
        return np.asarray(o.argmax(axis=1))

    def _both(self, o: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[Any]]:
        outputs = numbers("o", o)
        if outputs.ndim != 2:
            raise ParameterError(f"o has shape {outputs.shape}; expected (n_samples, n_outputs)")
        if not np.isfinite(outputs).all():
            raise ParameterError("o has values that are NaN or infinite; outputs must be finite")
        if outputs.dtype.kind != "f":
            outputs = outputs.astype(np.float64)
        return outputs, self.checked(y, *outputs.shape)

    def __repr__(self) -> str:
        return call_of(self)
