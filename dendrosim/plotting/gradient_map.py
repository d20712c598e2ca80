"""The gradient at every compartment, on the cell."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..errors import ParameterError
from .morphology import plot_morphology
from .protocols import CompartmentsLike


def plot_gradient_map(
    compartments: CompartmentsLike,
    gradient: ArrayLike,
    *,
    ax: Axes | None = None,
    percentile: float | None = None,
    label: str = "gradient",
    unit: str | None = None,
    **options: Any,
) -> Axes:
    """Draw a gradient on the cell: diverging colours, symmetric about zero.

    Parameters
    ----------
    compartments : Compartments
        What to draw.
    gradient : array-like of shape (N,)
        One number per compartment, such as a row of ``Gradient.credit`` or ``Gradient.leak``.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    percentile : float, optional
        Limits of the colours: this percentile of the magnitude instead of its maximum, so that a few extreme
        compartments do not hide the rest. The colour bar has arrows and says so.
    label, unit : str, optional
        Label of the colour bar: ``label (unit)``.
    **options
        As for :func:`dendrosim.plotting.plot_morphology`.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        As for :func:`dendrosim.plotting.plot_morphology`.

    See Also
    --------
    plot_synapse_maps : the gradient of every synapse.
    """
    if "center" in options or "norm" in options:
        raise ParameterError("a gradient map is centred on zero; plot_morphology takes center and norm")
    return plot_morphology(
        compartments, gradient, ax=ax, center=0.0, percentile=percentile, label=label, unit=unit, **options
    )
