"""Populations in SONATA's HDF5 files of whatever origin, read without trust."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, short
from ..errors import FileFormatError, ParameterError
from ..hdf5_reader import Reader, opened

LIBRARY = "@library"
"""Words that numbers of nodes stand for: texts of any length, and all in the tables of types as well."""
LARGEST_NUMBER = 2**53
_MILLISECONDS = ("ms", "millisecond", "milliseconds")


class Population(NamedTuple):
    """What a file holds of a population.

    Attributes
    ----------
    name : str
    where : str
        File and group, for messages.
    group : dict
        Arrays by name.
    units : dict of str to str
        Of the datasets that were asked about, where the file says them.
    """

    name: str
    where: str
    group: dict[str, Any]
    units: dict[str, str]

    def array(self, key: str, group: dict[str, Any] | None = None) -> NDArray[Any]:
        """A dataset of the population, or of a group in it.

        Raises
        ------
        FileFormatError
            If there is none.
        """
        value = (self.group if group is None else group).get(key)
        if not isinstance(value, np.ndarray):
            raise FileFormatError(f"{self.where} has no dataset {key}")
        return value

    def numbers_of(self, key: str, values: NDArray[Any]) -> NDArray[np.int64]:
        """Whole numbers, such as those of nodes, that count something.

        Raises
        ------
        FileFormatError
            If one is negative, or beyond what a float holds.
        """
        if values.size and not (values.min() >= 0 and values.max() <= LARGEST_NUMBER):
            wrong = values.min() if values.min() < 0 else values.max()
            raise FileFormatError(f"{self.where}/{key} has {wrong}; expected numbers from 0 to {LARGEST_NUMBER:.0e}")
        return values.astype(np.int64)

    def in_milliseconds(self, key: str) -> None:
        """See that times are in ms.

        Raises
        ------
        FileFormatError
            If the file says another unit.
        """
        found = self.units.get(key, "ms")
        if found not in _MILLISECONDS:
            raise FileFormatError(f"{self.where}/{key} is in {short(found)}; only ms is read, convert the file")


def read_population(path: Path, root: str, population: str | None, described: Sequence[str]) -> Population:
    """One population of a file; others are not read.

    Parameters
    ----------
    path : Path
    root : {"spikes", "report"}
    population : str or None
        None: the only one.
    described : sequence of str
        Datasets whose units are wanted.

    Raises
    ------
    OSError
        If there is no such file.
    FileFormatError
        If it is no such file.
    ParameterError
        If there is no such population, or there are several and none is named.
    """
    found = None
    if population is not None:
        instance("population", population, str, "the name of a node population")
    with opened(path) as (file, reader):
        names, top = _names(path, reader, file, root)
        name = population if population is not None else names[0] if len(names) == 1 else None
        if name is not None and name in names:
            found = _population(path, root, name, reader, top, described)
    if found is not None:
        return found
    listed = ", ".join(names)[:300]
    if population is None:
        raise ParameterError(f"{path} has several populations, {listed}; say which with population=")
    raise ParameterError(f"{path} has no population {short(population)}; it has: {listed}")


def edge_or_node_populations(path: Path, root: str) -> Iterator[tuple[Population, tuple[str, str]]]:
    """All populations of nodes or edges of a file, with the node populations that edges begin and end in.

    Parameters
    ----------
    path : Path
    root : {"nodes", "edges"}

    Raises
    ------
    OSError
        If there is no such file.
    FileFormatError
        If it is no such file.
    """
    made = []
    with opened(path) as (file, reader):
        names, top = _names(path, reader, file, root)
        for name in names:
            group = reader.member(top, name)
            content = reader.group(group, leave=("0",))
            content["0"] = reader.group(reader.member(group, "0"), leave=(LIBRARY,))
            ends = tuple(
                str(reader.attributes(group[f"{end}_node_id"])["node_population"]) if root == "edges" else ""
                for end in ("source", "target")
            )
            made.append((Population(name, f"{path}: /{root}/{name}", content, {}), (ends[0], ends[1])))
    yield from made


def _names(path: Path, reader: Reader, file: Any, root: str) -> tuple[list[str], Any]:
    """Names of populations, and the group that holds them."""
    import h5py

    top = reader.member(file, root) if root in file else None
    if not isinstance(top, h5py.Group) or not len(top):
        raise FileFormatError(f"{path} is no SONATA file of this kind: it has no group /{root} with populations")
    return list(top), top


def _population(path: Path, root: str, name: str, reader: Reader, top: Any, described: Sequence[str]) -> Population:
    where = f"{path}: /{root}/{name}"
    group = reader.member(top, name)
    content = reader.group(group)
    said = {key: reader.attributes(group[key]).get("units") for key in described if key in group}
    return Population(name, where, content, {key: value for key, value in said.items() if isinstance(value, str)})
