"""What a file says of a network has to fit the arrays that it holds, before anything is made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import short
from ..errors import FileFormatError
from ..morphology.compartments import Compartments
from .layout import INPUT

Array = NDArray[Any]


def state_of(found: Mapping[str, Any], where: str) -> dict[str, Array]:
    """The arrays of a state: finite numbers.

    Raises
    ------
    FileFormatError
        If one is something else; names it.
    """
    state = found["state"]
    if not isinstance(state, Mapping):
        raise FileFormatError(f"{where}: its state is {short(state)} and no group of arrays; restore it from a copy")
    for name, array in state.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise FileFormatError(f"{where}: {short(name)} of its state is no array of numbers; restore it from a copy")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FileFormatError(f"{where}: {short(name)} of its state is not finite; restore it from a copy")
    return dict(state)


def elements(state: Mapping[str, Array]) -> int:
    """Numbers in a state, all arrays together."""
    return sum(array.size for array in state.values())


def dense(widths: Sequence[Any], state: Mapping[str, Array], where: str) -> None:
    """See that a state has room for the weights between layers of these widths.

    Raises
    ------
    FileFormatError
        If not, or a width is no positive whole number.
    """
    wrong = [n for n in widths if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1]
    if wrong:
        raise FileFormatError(f"{where}: a layer of {short(wrong[0])} units is impossible; restore it from a copy")
    needed, held = sum(int(a) * int(b) for a, b in pairwise(widths)), elements(state)
    if needed > held:
        raise FileFormatError(
            f"{where}: layers of {short(list(widths))} units need {needed} weights and it holds {held} numbers; "
            "restore it from a copy"
        )


def dendritic(
    settings: Mapping[str, Any], trees: Sequence[Compartments], state: Mapping[str, Array], where: str
) -> None:
    """See that a state holds as many compartments, synapses and candidates as the settings come to.

    Parameters
    ----------
    settings : dict
        As `files.content` writes them.
    trees : sequence of Compartments
    state : dict of arrays
    where : str
        The file, for messages.

    Raises
    ------
    FileFormatError
        If not; and for numbers of cells, inputs or synapses that are none.
    """
    cells: dict[str, list[int]] = {}
    places: dict[str, dict[str, int]] = {}
    each = [_carrying(tree) for tree in trees]
    size = 0
    for name, numbers in settings["populations"]:
        if any(not isinstance(i, int) or not 0 <= i < len(trees) for i in numbers):
            raise FileFormatError(f"{where}: population {short(name)} has cells without a tree; restore it from a copy")
        cells[name] = numbers
        places[name] = {place: sum(each[i][place] for i in numbers) for place in ("dendrites", "soma", "all")}
        size += sum(trees[i].size for i in numbers)
    n_inputs, synapses, candidates = settings["n_inputs"], 0, 0
    if isinstance(n_inputs, bool) or not isinstance(n_inputs, int) or n_inputs < 1:
        raise FileFormatError(f"{where}: n_inputs={short(n_inputs)} is impossible; restore it from a copy")
    for source, target, _, count, onto in settings["projections"]:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise FileFormatError(f"{where}: {short(count)} synapses are impossible; restore it from a copy")
        banks = places[target][onto]
        synapses += count * banks
        candidates += (n_inputs if source == INPUT else len(cells[source])) * banks
    inactive = candidates - synapses if settings["connectivity"] == "topk" else 0
    expected = {"couplings": size, "synapses": synapses, "source": synapses, "heap": inactive, "heap_source": inactive}
    for name, n in expected.items():
        if state[name].shape != (n,):
            raise FileFormatError(
                f"{where}: {name} has shape {state[name].shape} where its trees and projections come to ({n},); "
                "restore it from a copy"
            )
    read = sum(len(cells[name]) for name in settings["readout"])
    dense([read, *settings["decoder"].get("hidden", []), settings["n_outputs"]], state, where)


def _carrying(tree: Compartments) -> dict[str, int]:
    """Compartments of a tree that can carry synapses, by place; see `layout.Projection`."""
    somas = int((tree.leak[tree.parent < 0] > 0).sum())
    every = int((tree.leak > 0).sum())
    return {"dendrites": every - somas, "soma": somas, "all": every}
