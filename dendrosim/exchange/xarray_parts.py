"""Parts of an xarray dataset: variables with units, coordinates, and attributes that every file format takes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..about import __version__
from ..morphology.compartments import Compartments

_MOST = 2**31
"""Whole numbers from here on are text in attributes: netCDF 3 has none that are larger."""


class Parts:
    """Collects what a dataset is made of.

    Parameters
    ----------
    **attributes
        Of the dataset; what is None is left out.

    Attributes
    ----------
    variables, coordinates : dict
        Names to (dimensions, values, attributes).
    attributes : dict
    """

    def __init__(self, **attributes: Any) -> None:
        self.variables: dict[str, tuple[tuple[str, ...], Any, dict[str, str]]] = {}
        self.coordinates: dict[str, tuple[tuple[str, ...], Any, dict[str, str]]] = {}
        self.attributes = attributes

    def add(self, name: str, dims: Sequence[str], values: Any, units: str = "1", long_name: str = "") -> None:
        """Add a variable; without units where they are ""."""
        self.variables[name] = (tuple(dims), np.asanyarray(values), _described(units, long_name))

    def coordinate(
        self, name: str, dims: Sequence[str] | str, values: Any, units: str = "", long_name: str = ""
    ) -> None:
        """Add a coordinate."""
        own = (dims,) if isinstance(dims, str) else tuple(dims)
        self.coordinates[name] = (own, np.asanyarray(values), _described(units, long_name))

    def cells(self, compartments: Compartments | None, which: Any = None, dim: str = "compartment") -> None:
        """Add coordinates of compartments: numbers, and where they are.

        Parameters
        ----------
        compartments : Compartments or None
            None: only their numbers.
        which : int array, optional
            Numbers of those that there are; by default all.
        dim : str, default "compartment"
        """
        if which is None:
            assert compartments is not None
            which = np.arange(compartments.size)
        self.coordinate(dim, dim, which, long_name="number of the compartment")
        if compartments is None:
            return
        um = "um" if compartments.physical else "1"
        prefix = "" if dim == "compartment" else f"{dim}_"
        self.coordinate(f"{prefix}cell", dim, compartments.cell[which], long_name="number of the cell")
        self.coordinate(f"{prefix}region", dim, compartments.region[which], long_name="region of the morphology")
        self.coordinate(f"{prefix}stage", dim, compartments.stage[which], long_name="number of branchings above")
        distance = compartments.path_distance[which]
        self.coordinate(f"{prefix}path_distance", dim, distance, um, "distance from the soma along the tree")
        if not np.isnan(compartments.xyz).any():
            for i, axis in enumerate("xyz"):
                self.coordinate(
                    f"{prefix}position_{axis}", dim, compartments.xyz[which, i], um, f"{axis} of the middle"
                )

    def plain_attributes(self, source: str) -> dict[str, Any]:
        """Attributes as text and numbers that any format takes.

        Parameters
        ----------
        source : str
            What the dataset was made of.
        """
        every = {"program": f"dendrosim {__version__}", "source": source, **self.attributes}
        return {name: _plain(value) for name, value in every.items() if value is not None}


def _described(units: str, long_name: str) -> dict[str, str]:
    return {name: text for name, text in (("units", units), ("long_name", long_name)) if text}


def _plain(value: Any) -> Any:
    """Truth values as 0 and 1, tables and lists as JSON, paths and very large numbers as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if abs(value) < _MOST else str(value)
    if isinstance(value, float | str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping | Sequence):
        return json.dumps(value, default=str)
    return str(value)
