"""A scale bar in um instead of axes."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

from .lengths import length_label, round_length


def add_scale_bar(ax: Axes, extent: float, length: float | None = None) -> None:
    """Add a scale bar below the lower left corner of `ax`.

    Parameters
    ----------
    ax : Axes
        Axes whose x data are um.
    extent : float
        The bar is about a quarter of this, um.
    length : float, optional
        Exactly this long instead, um.
    """
    length = round_length(extent / 4) if length is None else length
    font = FontProperties(size="small")
    bar = AnchoredSizeBar(
        ax.transData,
        length,
        length_label(length),
        "upper left",
        pad=0.0,
        borderpad=0.0,
        sep=2.0,
        frameon=False,
        fontproperties=font,
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=ax.transAxes,
    )
    # a line of constant width in points, whatever the scale of the data
    for patch in bar.size_bar.findobj(Rectangle):
        patch.set(linewidth=1.2, facecolor="black", edgecolor="black", capstyle="butt")
    ax.add_artist(bar)
