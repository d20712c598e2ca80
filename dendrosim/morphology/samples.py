"""The sample points of one morphology, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

SOMA, AXON, BASAL, APICAL = 1, 2, 3, 4
_NAMES = {0: "undefined", SOMA: "soma", AXON: "axon", BASAL: "basal", APICAL: "apical"}


def region_name(structure: int) -> str:
    """Name of the region that an SWC structure identifier stands for (``custom_5`` and so on above 4)."""
    return _NAMES.get(int(structure), f"custom_{int(structure)}")


@dataclass(frozen=True, eq=False)
class Samples:
    """Sample points in the order of their file; nothing dropped, nothing invented.

    Parameters
    ----------
    id : int array of shape (n,)
        Sample identifiers as in the file, unique.
    type : int array of shape (n,)
        SWC structure identifiers.
    xyz : float array of shape (n, 3)
        Positions in um.
    radius : float array of shape (n,)
        Radii in um.
    parent : int array of shape (n,)
        *Row* (not identifier) of the parent sample, -1 at the root. Children may stand before their parents.
    comments : tuple of (int, str)
        Comment lines as (row before which the line stood, text with its ``#``).
    trailing : mapping of int to str
        For each row that has any: the text after the seventh column (further columns, a comment).
    """

    id: NDArray[np.int64]
    type: NDArray[np.int64]
    xyz: NDArray[np.float64]
    radius: NDArray[np.float64]
    parent: NDArray[np.int64]
    comments: tuple[tuple[int, str], ...] = ()
    trailing: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("id", "type", "xyz", "radius", "parent"):
            kind = np.float64 if name in ("xyz", "radius") else np.int64
            array = np.ascontiguousarray(getattr(self, name), dtype=kind).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "trailing": dict(self.trailing)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**{**state, "trailing": MappingProxyType(state["trailing"])})  # type: ignore[misc]

    def __len__(self) -> int:
        return int(self.id.size)
