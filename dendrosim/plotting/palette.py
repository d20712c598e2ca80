"""The colours of regions, synapses and lines, safe for colour-blind readers; needs no matplotlib."""

from __future__ import annotations

from collections.abc import Iterable

from ..arguments import short
from ..errors import ParameterError

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


def region_color(region: str) -> str:
    """Return the colour of a region as ``#RRGGBB``: Okabe-Ito, the same in every figure.

    Parameters
    ----------
    region : str
        Name such as ``"basal"``; names other than those of SWC (``"custom_5"``) share the remaining colours.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If the region is no text.

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
