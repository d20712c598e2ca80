"""Checks of the values to draw, and the scale from value to colour."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers, short
from ..errors import ParameterError
from .styling import DIVERGING, SEQUENTIAL


def checked_values(values: ArrayLike, size: int, noun: str, *, name: str = "values") -> NDArray[np.float64]:
    """Return `values` as a float array of shape (size,), every entry finite.

    Parameters
    ----------
    values : array-like of shape (size,)
        One number per `noun`.
    size : int
        How many there must be.
    noun : str
        What there is one value of, for the message: ``"compartment"``, ``"synapse"`` ...
    name : str
        Name of the argument, for the message.

    Raises
    ------
    ParameterError
        If the shape is another one, or a value is not a finite real number.
    """
    expected = f"expected shape ({size},), one finite number per {noun}"
    array = numbers(name, values)
    if array.shape != (size,):
        hint = ""
        if array.ndim == 2 and array.shape[1] == size:
            hint = f": choose one row, {name}[0], or average over them, {name}.mean(axis=0)"
        raise ParameterError(f"{name} has shape {array.shape}; {expected}{hint}")
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ParameterError(f"{name}[{bad[0]}] is {array[bad[0]]} ({bad.size} of {size} are not finite); {expected}")
    return array


@dataclass(frozen=True, eq=False)
class ColorScale:
    """From value to colour.

    Attributes
    ----------
    norm : Normalize
        From value to the range of the map.
    cmap : Colormap
        From there to colour.
    extend : {"neither", "min", "max", "both"}
        On which sides values lie beyond the limits; the colour bar has an arrow there.
    note : str
        Sentence on the limits for the colour bar, or empty.
    """

    norm: Normalize
    cmap: Colormap
    extend: str
    note: str = ""

    def mappable(self) -> ScalarMappable:
        """Return something that a colour bar can be made of."""
        return ScalarMappable(norm=self.norm, cmap=self.cmap)

    def add_colorbar(self, ax: Axes | list[Axes], label: str | None, unit: str | None, **options: Any) -> None:
        """Add a colour bar beside `ax`, labelled ``label (unit)`` and with the note on the limits below."""
        first = ax[0] if isinstance(ax, list) else ax
        bar = first.figure.colorbar(
            self.mappable(), ax=ax, **{"extend": self.extend, "shrink": 0.7, "aspect": 22, "pad": 0.03, **options}
        )
        bar.outline.set_visible(False)
        bar.set_label("\n".join(filter(None, (label_with_unit(label, unit), self.note))))


def label_with_unit(label: str | None, unit: str | None) -> str:
    """Return ``label (unit)``, or what there is of it."""
    if label and unit:
        return f"{label} ({unit})"
    return label or unit or ""


def color_scale(
    values: NDArray[np.float64],
    *,
    cmap: str | Colormap | None = None,
    norm: Normalize | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    center: float | None = None,
    percentile: float | None = None,
) -> ColorScale:
    """Return the scale of colours for `values`.

    Parameters
    ----------
    values : float array of shape (n,)
        All values that the scale is for.
    cmap : str or Colormap, optional
        Without it: a perceptually uniform map, sequential, or diverging if `center` is given.
    norm : Normalize, optional
        Given whole (for example ``LogNorm``); excludes the limits below.
    vmin, vmax : float, optional
        Limits of the map; without them the extremes of `values`.
    center : float, optional
        Value at the middle of a diverging map; the limits are symmetric about it.
    percentile : float, optional
        Instead of the extremes: this percentile of the distance from `center`, or, without `center`, this percentile
        and its complement. The note of the scale says so if it clips anything.

    Raises
    ------
    ParameterError
        If the map is unknown, limits are given twice, or are in the wrong order.
    """
    limits = {"vmin": vmin, "vmax": vmax, "center": center, "percentile": percentile}
    given = [name for name, value in limits.items() if value is not None]
    for name in given:
        number(name, limits[name])
    if cmap is None:
        cmap = SEQUENTIAL if center is None else DIVERGING
    elif isinstance(cmap, str):
        if cmap not in colormaps:
            near = get_close_matches(cmap, list(colormaps), n=3) or ["viridis", "cividis", "RdBu_r"]
            raise ParameterError(
                f"cmap={cmap!r} is not a colour map of matplotlib; such are {', '.join(map(repr, near))}"
            )
        cmap = colormaps[cmap]
    elif not isinstance(cmap, Colormap):
        raise ParameterError(f"cmap={short(cmap)} must be the name of a colour map, or a Colormap of matplotlib")
    if norm is not None:
        if given:
            raise ParameterError(f"norm excludes {', '.join(given)}: give the limits to the norm")
        if values.size:
            norm.autoscale_None(values)
        low, high = norm.vmin, norm.vmax
        if low is None or high is None:  # no values to draw
            return ColorScale(norm, cmap, "neither")
        return ColorScale(norm, cmap, _extend(values, low, high))
    if percentile is not None:
        if not 50 < percentile <= 100:
            raise ParameterError(
                f"percentile={percentile!r} must be above 50 and at most 100; 98 leaves out the 2 % most extreme values"
            )
        if vmin is not None or vmax is not None:
            raise ParameterError("percentile excludes vmin and vmax: both set the limits")
    low, high = _limits(values, vmin, vmax, center, percentile)
    extend = _extend(values, low, high)
    note = ""
    if percentile is not None and extend != "neither":
        note = f"clipped at percentile {percentile:g}"
    return ColorScale(Normalize(low, high), cmap, extend, note)


def _limits(
    values: NDArray[np.float64], vmin: float | None, vmax: float | None, center: float | None, percentile: float | None
) -> tuple[float, float]:
    if center is not None:
        given = [abs(limit - center) for limit in (vmin, vmax) if limit is not None]
        distance = np.abs(values - center)
        if given:
            half = max(given)
        elif values.size == 0:
            half = 1.0
        else:
            half = float(distance.max() if percentile is None else np.percentile(distance, percentile))
            half = half or float(distance.max()) or 1.0  # mostly zeros: the percentile is no scale
        return center - half, center + half
    if values.size == 0:
        low, high = 0.0, 1.0
    elif percentile is None:
        low, high = float(values.min()), float(values.max())
    else:
        low, high = (float(p) for p in np.percentile(values, [100 - percentile, percentile]))
    low, high = (low if vmin is None else float(vmin)), (high if vmax is None else float(vmax))
    if vmin is not None and vmax is not None and vmin >= vmax:
        raise ParameterError(f"vmin={vmin!r} must be below vmax={vmax!r}")
    if low >= high:  # one value everywhere, or all values beyond the limit that was given
        width = 0.5 * max(abs(low), abs(high), 1e-12) * 0.1
        low, high = (
            (low, low + width)
            if vmin is not None
            else (high - width, high)
            if vmax is not None
            else (low - width, high + width)
        )
    return low, high


def _extend(values: NDArray[np.float64], low: float, high: float) -> str:
    below = bool(values.size and values.min() < low)
    above = bool(values.size and values.max() > high)
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
