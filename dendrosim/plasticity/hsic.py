"""Hilbert-Schmidt independence criterion: two auxiliary losses on the activities of a layer, and their gradients.

With activities Z (B, d), targets Y (B, k), kernel matrices K_Z, K_Y (B, B) and the centring matrix H = I - 1 1^T / B
(local-credit paper, eq. 29-30; Gretton et al. 2005):

    self   = tr(K_Z H K_Z H) / B^2       (decorrelation: smaller when samples look less alike),
    target = -tr(K_Z H K_Y H) / B^2      (smaller when Z tells the targets).

The gradients are those of these losses. For the linear kernel that is (4 / B^2) H K_Z H Z, as printed, and
-(2 / B^2) H K_Y H Z: the 4 that the paper prints for the target loss is twice too much, for K_Y does not depend on Z.
(The published runs used other gradients again: 2 Z_centred / B, a variance penalty, for "self".)
All these gradients are Z^T times one symmetric matrix of B x B: a layer costs two products with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..errors import choose

Array = NDArray[Any]


class Kernel(ABC):
    """A similarity of samples, and the gradients of the two losses for it."""

    name: ClassVar[str]

    @abstractmethod
    def matrix(self, rows: Array) -> Array:
        """Kernel matrix (B, B) of samples in columns, (d, B)."""

    @abstractmethod
    def mixing(self, rows: Array, targets: Array, self_weight: float, target_weight: float) -> Array:
        """Symmetric matrix M (B, B) such that ``rows @ M`` is the gradient of the weighted losses by the activities.

        Parameters
        ----------
        rows : float array of shape (d, B)
            Activities, a row per compartment, each less its mean over the samples.
        targets : float array of shape (k, B)
            One-hot for classes.
        self_weight, target_weight : float
        """

    def gradient(self, z: Array, y: Array, self_weight: float, target_weight: float) -> Array:
        """Gradient of ``self_weight * self + target_weight * target`` by `z` (B, d), with targets `y` (B, k)."""
        rows = z.T - z.mean(0)[:, None]
        gradient: Array = rows @ self.mixing(rows, y.T.astype(z.dtype), self_weight, target_weight)
        return gradient.T

    def losses(self, z: Array, y: Array) -> tuple[float, float]:
        """The two losses, unweighted: (self, target)."""
        kz, ky = centred(self.matrix(z.T)), self.matrix(y.T)
        pairs = z.shape[0] ** 2
        return float(np.vdot(kz, kz)) / pairs, -float(np.vdot(kz, ky)) / pairs


class Linear(Kernel):
    """K = Z Z^T."""

    name = "linear"

    def matrix(self, rows: Array) -> Array:
        product: Array = rows.T @ rows
        return product

    def mixing(self, rows: Array, targets: Array, self_weight: float, target_weight: float) -> Array:
        kind, pairs = rows.dtype.type, rows.shape[1] ** 2
        out: Array = np.zeros((rows.shape[1],) * 2, rows.dtype)
        if self_weight:
            out += self.matrix(rows) * kind(4.0 * self_weight / pairs)
        if target_weight:
            out -= self.matrix(targets - targets.mean(1)[:, None]) * kind(2.0 * target_weight / pairs)
        return out


class RBF(Kernel):
    """K = exp(-|z_i - z_j|^2 / (2 sigma^2)), of activities and of targets alike.

    Parameters
    ----------
    sigma : float, default 1.0
        Width. Distances grow with the square root of the number of compartments; where they are far larger than
        `sigma`, the kernel and its gradients vanish.
    """

    name = "rbf"

    def __init__(self, sigma: float = 1.0) -> None:
        self.sigma = number("sigma", sigma, above=0.0)

    def matrix(self, rows: Array) -> Array:
        centre = rows - rows.mean(1)[:, None]  # distances between centred samples lose fewer digits
        product = centre.T @ centre
        squares = np.diagonal(product)
        distance = np.maximum(squares[:, None] + squares[None, :] - 2.0 * product, 0.0)
        np.fill_diagonal(distance, 0.0)
        similarity: Array = np.exp(distance * rows.dtype.type(-0.5 / self.sigma**2))
        similarity[similarity < np.sqrt(np.finfo(rows.dtype).tiny)] = 0.0  # subnormal products would cost a hundredfold
        return similarity

    def mixing(self, rows: Array, targets: Array, self_weight: float, target_weight: float) -> Array:
        kind, pairs = rows.dtype.type, rows.shape[1] ** 2
        k = self.matrix(rows)
        by_kernel: Array = np.zeros_like(k)  # dL/dK, symmetric
        if self_weight:
            by_kernel += centred(k) * kind(2.0 * self_weight / pairs)
        if target_weight:
            by_kernel -= centred(self.matrix(targets)) * kind(target_weight / pairs)
        by_kernel *= k * kind(2.0 / self.sigma**2)
        np.fill_diagonal(by_kernel, 0.0)
        np.fill_diagonal(by_kernel, -by_kernel.sum(0))
        return by_kernel


KERNELS: dict[str, type[Kernel]] = {kind.name: kind for kind in (Linear, RBF)}


def kernel(name: str, sigma: float = 1.0) -> Kernel:
    """The kernel registered under `name`; `sigma` is the width of the RBF kernel.

    Raises
    ------
    ParameterError
        If the name is not known.
    """
    kind = KERNELS[choose("kernel", name, KERNELS)]
    return RBF(sigma) if kind is RBF else kind()


def centred(matrix: Array) -> Array:
    """H K H for a symmetric matrix K (B, B)."""
    mean = matrix.mean(0)
    out: Array = matrix - mean[None, :] - mean[:, None] + mean.mean()
    return out


def one_hot(targets: Array, n_classes: int, dtype: Any) -> Array:
    """Targets (B,) as rows with a single 1, shape (B, n_classes)."""
    out = np.zeros((targets.size, n_classes), dtype)
    out[np.arange(targets.size), targets] = 1.0
    return out
