"""Colours, sizes and fonts of the figures: safe for colour-blind readers, readable at the width of one column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.lines import Line2D

from ..arguments import instance, short
from ..errors import ParameterError

SINGLE_COLUMN = 85 / 25.4  # inches
DOUBLE_COLUMN = 174 / 25.4
_TALLEST = 130 / 25.4
_FLATTEST = 40 / 25.4

# Okabe & Ito 2008, https://jfly.uni-koeln.de/color/
BLACK, ORANGE, SKY_BLUE, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
NEUTRAL = "#B8B8B8"
EXCITATORY, INHIBITORY = VERMILLION, BLUE

_REGIONS = {
    "soma": "#222222",
    "basal": VERMILLION,
    "apical": BLUE,
    "axon": GREEN,
    "undefined": "#808080",
    "": "#808080",
}
_OTHERS = (PURPLE, ORANGE, SKY_BLUE, YELLOW)

# Both maps stop short of white: a thin pale line on white paper cannot be seen.
SEQUENTIAL = ListedColormap(mpl.colormaps["viridis"](range(0, 240)), name="viridis_dark")
DIVERGING = LinearSegmentedColormap.from_list(
    "blue_grey_vermillion",
    ["#0B3C6F", "#1F62A3", "#4A89C4", "#87ADD2", "#C6C6C6", "#DB9F80", "#CE7038", "#A94A12", "#752F05"],
)

_RC: Any = {
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "legend.title_fontsize": 7.0,
    "figure.titlesize": 9.0,
    "figure.dpi": 150.0,
    "savefig.dpi": "figure",
    "lines.linewidth": 1.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK]),
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Set the style of dendrosim's figures inside a ``with`` block, and only there.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> from dendrosim.plotting import style
    >>> before = mpl.rcParams["font.size"]
    >>> with style():
    ...     print(mpl.rcParams["font.size"])
    8.0
    >>> mpl.rcParams["font.size"] == before
    True
    """
    with mpl.rc_context(_RC):
        yield


@contextmanager
def canvas(
    ax: Axes | None,
    *,
    aspect: float,
    width: float = SINGLE_COLUMN,
    layout: str = "constrained",
    projection: str | None = None,
) -> Iterator[Axes]:
    """Yield `ax` as it is, or the axes of a new figure in dendrosim's style.

    A new figure is made through pyplot, so that notebooks and ``plt.show()`` find it; the current axes of pyplot are
    never drawn into.

    Parameters
    ----------
    ax : Axes or None
        Axes given by the caller.
    aspect : float
        Height of the new figure over its width; the height is kept within 40 and 130 mm.
    width : float
        Width of the new figure in inches.
    layout : str
        Layout engine of the new figure.
    projection : str, optional
        ``"3d"`` for three dimensions.
    """
    if ax is not None:
        yield instance("ax", ax, Axes, "of matplotlib")
        return
    with style():
        height = min(max(width * aspect, _FLATTEST), _TALLEST)
        figure = plt.figure(figsize=(width, height), layout=layout)
        yield figure.add_subplot(projection=projection)


@contextmanager
def options_for(artist: str) -> Iterator[None]:
    """Turn matplotlib's complaint about an option into an error that says where options go."""
    try:
        yield
    except (AttributeError, TypeError) as error:
        raise ParameterError(f"an option that matplotlib.collections.{artist} does not take: {error}") from error


def region_color(region: str) -> str:
    """Return the colour of a region as ``#RRGGBB``: Okabe-Ito, the same in every figure.

    Parameters
    ----------
    region : str
        Name such as ``"basal"``; names other than those of SWC (``"custom_5"``) share the remaining colours.

    Examples
    --------
    >>> region_color("apical")
    '#0072B2'
    """
    if not isinstance(region, str):
        raise ParameterError(f"region={short(region)} must be the name of a region, such as 'apical'")
    known = _REGIONS.get(region)
    if known is not None:
        return known
    digits = "".join(filter(str.isdigit, region))
    # a sum of characters, not hash(): the same colour in every run
    return _OTHERS[(int(digits) - 5 if digits else sum(map(ord, region))) % len(_OTHERS)]


def sort_regions(regions: Iterable[str]) -> list[str]:
    """Return the distinct names in the order of legends: soma, basal, apical, axon, undefined, then by name."""
    order = {name: rank for rank, name in enumerate(_REGIONS)}
    return sorted(set(regions), key=lambda name: (order.get(name, len(order)), name))


def region_legend(ax: Axes, regions: Iterable[str]) -> None:
    """Add a legend of region colours at the right of `ax`."""
    handles = [
        Line2D([], [], color=region_color(name), linewidth=2.5, label=name or "no region")
        for name in sort_regions(regions)
    ]
    if handles:
        ax.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.0,
            frameon=False,
            handlelength=1.2,
        )
