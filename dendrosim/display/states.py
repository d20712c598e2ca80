"""Cards of steady states and of gradients at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..biophysics.gradient import Gradient
from ..biophysics.steady import State
from ..errors import ParameterError
from ..morphology.compartments import Compartments
from ..plotting.markup import Markup
from ..plotting.palette import BLUE, sort_regions
from .card import Card, Detail, count, figure, size_of
from .lines import spark
from .sketch import shade
from .svg import BINS, Line, chart, histogram

Array = NDArray[Any]
MOST = 4_000_000
"""Numbers of an array that a card looks at; of a larger one it takes some stimuli, evenly chosen."""


def some_rows(array: Array) -> tuple[Array, str]:
    """Rows of an array (B, ...) that are few enough to be looked at, and which they are, in words."""
    rows = len(array)
    each = max(1, int(np.prod(array.shape[1:])))
    keep = max(1, MOST // each)
    if rows <= keep:
        return np.asarray(array), ""
    chosen = np.linspace(0, rows - 1, keep).round().astype(int)
    return np.asarray(array[chosen]), f" ({keep:,} of {count(rows, 'stimulus', 'stimuli')})"


def state(given: State) -> Card:
    """Voltages in numbers, their distribution, and how they change along the tree."""
    tree, unit = given.compartments, "mV" if given.compartments.physical else ""
    b, n = given.voltage.shape
    facts = {
        "stimuli": f"{b:,}",
        "compartments": f"{n:,}" + (f" in {count(tree.n_cells, 'cell')}" if tree.n_cells > 1 else ""),
        "synapses": "none"
        if given.synapses is None
        else f"{given.synapses.size:,}, {count(given.x.shape[1], 'input')}",
        "integration": f"{given.integration}, {given.direction}" + ("" if given.gate is None else ", gated"),
        "numbers": f"{given.voltage.dtype}, {size_of(given.voltage, given.x)}",
    }
    try:
        voltage, which = some_rows(given.solved)
    except ParameterError:
        return Card("State", "", {**facts, "voltage": "overwritten by a later steady_state(..., out=)"})
    if not voltage.size:
        return Card("State", "", {**facts, "voltage": "none: no stimuli"})
    facts[f"voltage{which}"] = _ends(voltage, unit)
    facts[f"at the soma{which}"] = _ends(voltage[:, tree.roots], unit)
    known = given._resistances is not None
    facts["input resistance"] = "computed" if known else "not computed yet: .input_resistance does it"
    label = f"voltage ({unit})" if unit else "voltage"
    pictures = [
        lambda: histogram(voltage, says="distribution of the voltage", x_label=label),
        lambda: along_chart(tree, voltage, label, "voltage along the tree, with its range"),
    ]
    printed = {"along the tree": spark(_along(tree, voltage)[1])}
    return Card("State", "", facts, [_by_region(tree, voltage, label)], pictures, printed)


def gradient(given: Gradient) -> Card:
    """Sizes and magnitudes of the derivatives."""
    tree = given.state.compartments
    b, n = given.current.shape
    facts = {
        "stimuli": f"{b:,}",
        "compartments": f"{n:,}",
        "synapses": f"{given.conductance.size:,}",
        "credit": "not computed yet: .credit does it" if given._credit is None else "computed",
    }
    derivatives = [
        ("current", "dL/dI", given.current),
        ("conductance", "dL/dg of synapses", given.conductance),
        ("coupling", "dL/dg of couplings", given.coupling),
        ("leak", "dL/dg of leaks", given.leak),
        ("inputs", "dL/dx", given.inputs),
    ]
    current, _ = some_rows(given.current)
    pictures = []
    if current.size:
        with np.errstate(over="ignore"):
            size = np.abs(current)
        pictures.append(lambda: along_chart(tree, size, "|dL/dI|", "magnitude of dL/dI along the tree"))
    return Card("Gradient", "", facts, [derivatives_table(derivatives)], pictures)


def derivatives_table(rows: Sequence[tuple[str, str, Array | None]]) -> Detail:
    """Name, meaning, shape and magnitude of derivatives."""
    made = []
    for name, meaning, array in rows:
        if array is None:
            continue
        seen = some_rows(array)[0] if array.ndim else array
        with np.errstate(all="ignore"):
            numbers = np.abs(seen[np.isfinite(seen)].astype(np.float64))
            typical = float(np.sqrt((numbers**2).sum() / max(numbers.size, 1)))
        shape = " × ".join(f"{size:,}" for size in array.shape)
        magnitudes = [figure(typical), figure(float(numbers.max()))] if numbers.size else ["", ""]
        made.append([f".{name}", meaning, shape, *magnitudes])
    head = ["", "derivative", "shape", "root mean square", "greatest magnitude"]
    return Detail("Derivatives", head, made, texts=2, unfolded=True)


def along_chart(tree: Compartments, values: Array, y_label: str, says: str) -> Markup:
    """Mean and range of values (B, N) against the path distance."""
    x, mean, low, high = _along(tree, values)
    unit = "path distance (µm)" if tree.physical else "edges from the soma"
    return chart([Line("", x, mean, BLUE)], says=says, x_label=unit, y_label=y_label, band=(x, low, high))


def _along(tree: Compartments, values: Array) -> tuple[Array, Array, Array, Array]:
    """Path distance, mean, least and greatest value of values (B, N), in a few bins."""
    with np.errstate(all="ignore"):
        mean, low, high = values.mean(axis=0, dtype=np.float64), values.min(axis=0), values.max(axis=0)
        distance = tree.path_distance
        far = float(distance.max())
        place = (
            np.minimum((distance / far * BINS).astype(np.int64), BINS - 1) if far > 0 else np.zeros(tree.size, np.int64)
        )
        n = np.bincount(place, minlength=BINS)
        here = np.flatnonzero(n)
        sums = [np.bincount(place, weights=array, minlength=BINS)[here] / n[here] for array in (distance, mean)]
    least, most = np.full(BINS, np.inf), np.full(BINS, -np.inf)
    np.minimum.at(least, place, low)
    np.maximum.at(most, place, high)
    return sums[0], sums[1], least[here], most[here]


def _by_region(tree: Compartments, voltage: Array, label: str) -> Detail:
    names, which = np.unique(tree.region, return_inverse=True)
    rows, colors = [], []
    for name in sort_regions(names.astype(str).tolist()):
        here = voltage[:, which.reshape(-1) == int(np.flatnonzero(names == name)[0])]
        with np.errstate(all="ignore"):
            measures = (here.mean(dtype=np.float64), here.min(), here.max())
        rows.append([name or "(none)", f"{here.shape[1]:,}", *(figure(float(value)) for value in measures)])
        colors.append(shade(name))
    return Detail(f"By region: {label}", ["region", "compartments", "mean", "least", "greatest"], rows, colors=colors)


def _ends(values: Array, unit: str) -> str:
    with np.errstate(all="ignore"):
        least, mean, most = float(values.min()), float(values.mean(dtype=np.float64)), float(values.max())
    return f"{figure(least)} to {figure(most)}, mean {figure(mean)} {unit}".rstrip()
