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

from ..arguments import instance
from ..errors import ParameterError
from .palette import BLACK as BLACK
from .palette import BLUE as BLUE
from .palette import EXCITATORY as EXCITATORY
from .palette import GREEN as GREEN
from .palette import INHIBITORY as INHIBITORY
from .palette import NEUTRAL as NEUTRAL
from .palette import ORANGE as ORANGE
from .palette import PURPLE as PURPLE
from .palette import SKY_BLUE as SKY_BLUE
from .palette import VERMILLION as VERMILLION
from .palette import YELLOW as YELLOW
from .palette import region_color as region_color
from .palette import sort_regions as sort_regions

SINGLE_COLUMN = 85 / 25.4  # inches
DOUBLE_COLUMN = 174 / 25.4
_TALLEST = 130 / 25.4
_FLATTEST = 40 / 25.4

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

    Yields
    ------
    None

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
