"""The exact credit of every compartment and cell, batch first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError

if TYPE_CHECKING:
    from ..networks.activity import Activity
    from ..networks.network import Network

Floats = NDArray[np.float64]


def exact_credit(network: Network, activity: Activity, y: ArrayLike) -> tuple[Floats, Floats]:
    """Exact derivatives of the mean cross-entropy.

    Parameters
    ----------
    network : Network
    activity : Activity
        Its response to the batch.
    y : int array of shape (B,)
        Classes.

    Returns
    -------
    credit : float array of shape (B, N)
        dL/dV_n of every compartment.
    somas : float array of shape (B, C)
        dL/da of every cell, hidden ones included.

    Raises
    ------
    ParameterError
        If `y` does not fit.
    """
    from ..losses import loss
    from ..teaching.lesson import TreeLesson

    targets = checked_classes(y, activity.n_samples, network.n_outputs)
    cross_entropy = loss("cross_entropy")
    error = cross_entropy.score(activity.logits, targets) / activity.logits.dtype.type(len(targets))
    _, soma_error = network.decoder.backward(network.parameters, activity.soma, error)
    lesson = TreeLesson(
        network=network,
        activity=activity,
        targets=targets,
        output_error=error,
        soma_error=soma_error,
        rng=np.random.default_rng(0),  # nothing is drawn on the way
        threads=1,
        credit=activity.empty(network.layout.size),
        loss=cross_entropy,
    )
    somas = activity.batch_first(lesson.transport())
    return activity.batch_first(lesson.credit).astype(np.float64), somas.astype(np.float64)


def checked_classes(y: ArrayLike, n_samples: int, n_classes: int) -> NDArray[np.int64]:
    """`y` as classes 0 to n_classes - 1, shape (n_samples,).

    Raises
    ------
    ParameterError
        If the shape is another, or a class does not exist.
    """
    given = numbers("y", y)
    if given.shape != (n_samples,) or given.dtype.kind not in "iu":
        raise ParameterError(
            f"y has shape {given.shape} and dtype {given.dtype}; expected one whole number per sample, ({n_samples},)"
        )
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= n_classes:
        raise ParameterError(f"y has classes from {low} to {high}; the network has outputs for 0 to {n_classes - 1}")
    return given.astype(np.int64)
