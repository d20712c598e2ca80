"""The fidelity of one gradient to another: table, and errors of every synapse and compartment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import choose
from ..shown import Shown
from .measures import by_part, compare
from .parts import CORE, GROUPS, NetworkLike, Part, layer_name, parts_of, synapse_compartment

Floats = NDArray[np.float64]
Gradients = dict[str, NDArray[Any]]

ROW = np.dtype([("group", "U64"), ("cosine", "f8"), ("scale_mismatch", "f8"), ("relative_l2", "f8"), ("n", "i8")])
MEASURES = ("cosine", "scale_mismatch", "relative_l2")


def row_of(table: np.ndarray[Any, Any], group: str) -> np.void:
    """The row of a table of `ROW` that has this group.

    Raises
    ------
    ParameterError
        If there is no such row; the message lists those that there are.
    """
    names = table["group"].tolist()
    row: np.void = table[names.index(choose("group", group, names))]
    return row


class Fidelity(Shown):
    """How close the gradient of a local rule is to the exact one; made by `fidelity` or `compare_gradients`.

    Attributes
    ----------
    table : structured array
        Rows of ``group``, ``cosine`` (eq. 27), ``scale_mismatch`` = ``|log10(|local| / |exact|)|`` (eq. 28),
        ``relative_l2`` = ``|local - exact| / |exact|`` and ``n``, the number of active parameters. In this order:

        - ``excitatory``, ``inhibitory``, ``couplings``, ``gates``, ``decoder``: each component group as one vector;
        - ``population/stage k`` and ``population/stage k/group``: a layer of compartments, whole and group by group;
        - ``all``: mean over the first four groups weighted by active parameters; ``all (unweighted)``: their plain
          mean; ``all (dense)``: mean over tensors weighted by the size of the dense tensor, chosen synapses or not, the
          scale mismatch that of the mean ratio, as the paper's tables were made;
        - ``core vector``: everything but the decoder as one vector; ``overall vector``: everything as one vector.

        The decoder counts in its own row and the last only: with a linear decoder its local gradient is the exact one
        and says nothing about dendrites.
    local, exact : dict of arrays
        The two gradients, by name of the parameter array.
    synapse_error : float array of shape (S,)
        (local - exact) of every synapse over the root mean square of the exact gradient of all synapses of its sign.
    compartment_cosine : float array of shape (N,)
        Cosine over the synapses of a compartment alone; nan where it has none or one of the gradients is zero.
    compartment_scale : float array of shape (N,)
        log10 of the ratio of their lengths, local over exact, with its sign.
    compartment_error : float array of shape (N,)
        Their relative L2.
    teaching, rule : str
        What was compared with the exact gradient.
    n_samples : int
        Size of the batch.
    notes : tuple of str
        What could not be compared, and why; empty if everything could.
    """

    def __init__(
        self,
        network: NetworkLike,
        local: Gradients,
        exact: Gradients,
        *,
        teaching: str = "",
        rule: str = "",
        n_samples: int = 0,
    ) -> None:
        self.local, self.exact = local, exact
        self.teaching, self.rule, self.n_samples = teaching, rule, n_samples
        self.layout = network.layout
        parts = parts_of(network)
        rows = [_vector(group, [p for p in parts if p.group == group], local, exact) for group in GROUPS]
        groups = [row for row in rows if row[4]]
        self.table = np.array([*groups, *self._layers(parts), *_summaries(groups, parts, local, exact)], dtype=ROW)
        self.notes = _notes(self.table)
        where = synapse_compartment(self.layout)
        a, b = (np.asarray(gradient["synapses"], dtype=np.float64) for gradient in (local, exact))
        self.synapse_error = _relative(a, b, np.asarray(network.sign) > 0)
        self.compartment_cosine, self.compartment_scale, self.compartment_error = by_part(
            a, b, where, int(np.asarray(self.layout.parent).size)
        )

    def _layers(self, parts: Sequence[Part]) -> list[tuple[Any, ...]]:
        rows = []
        for layer in (layer_name(self.layout, i) for i in range(len(self.layout.layers))):
            here = [part for part in parts if part.layer == layer]
            rows.append(_vector(layer, here, self.local, self.exact))
            for group in CORE:
                row = _vector(f"{layer}/{group}", [p for p in here if p.group == group], self.local, self.exact)
                rows += [row] if row[4] else []
        return rows

    def __getitem__(self, group: str) -> np.void:
        """The row of a group, such as ``report["all"]["cosine"]``.

        Raises
        ------
        ParameterError
            If there is no such row; the message lists those that there are.
        """
        return row_of(self.table, group)

    def layers(self, population: str | None = None, group: str | None = None) -> np.ndarray[Any, Any]:
        """Rows of layers of compartments, from the soma outwards.

        Parameters
        ----------
        population : str, optional
            Of this population alone.
        group : str, optional
            Of this component group, such as ``"excitatory"``; without it the whole layer as one vector.

        Returns
        -------
        structured array
            As `table`; empty where no layer has such parameters.

        Raises
        ------
        ParameterError
            If there is no such population or group.
        """
        populations = dict.fromkeys(name for name, _ in self.layout.layers)
        chosen = tuple(populations) if population is None else (choose("population", population, populations),)
        end = "" if group is None else f"/{choose('group', group, CORE)}"
        names = [f"{name}/stage {stage}{end}" for name, stage in self.layout.layers if name in chosen]
        place = {name: i for i, name in enumerate(self.table["group"].tolist())}
        out: np.ndarray[Any, Any] = self.table[[place[name] for name in names if name in place]]
        return out

    def plot(self, **options: Any) -> Any:
        """Draw bars per component group; see `dendrosim.plotting.plot_fidelity`."""
        from ..plotting import plot_fidelity

        return plot_fidelity(self, **options)

    def __str__(self) -> str:
        what = f"{self.teaching}, {self.rule}".strip(", ") or "local"
        title = f"Fidelity of {what} to the exact gradient" + (f", {self.n_samples} samples" * bool(self.n_samples))
        width = max(len(str(name)) for name in self.table["group"])
        lines = [title, "", f"{'group':<{width}}  {'cosine':>7}  {'scale':>6}  {'rel. L2':>8}  {'n':>8}"]
        for row in self.table:
            lines.append(
                f"{row['group']!s:<{width}}  {row['cosine']:7.3f}  {row['scale_mismatch']:6.3f}  "
                f"{row['relative_l2']:8.3g}  {row['n']:8d}"
            )
        return "\n".join([*lines, *[f"note: {note}" for note in self.notes]])

    def __repr__(self) -> str:
        row = self["all"]
        return (
            f"<Fidelity of {self.teaching or 'local'} {self.rule}: cosine {row['cosine']:.3f}, scale mismatch "
            f"{row['scale_mismatch']:.3f}>"
        )


def _joined(parts: Iterable[Part], gradient: Gradients) -> Floats:
    return np.concatenate([np.zeros(0), *(part.of(gradient) for part in parts)])


def _vector(name: str, parts: Sequence[Part], local: Gradients, exact: Gradients) -> tuple[Any, ...]:
    """A row that takes `parts` as one vector."""
    a, b = _joined(parts, local), _joined(parts, exact)
    direction, scale, error = compare(a, b)
    return name, direction, abs(scale), error, a.size


def _summaries(
    groups: Sequence[tuple[Any, ...]], parts: Sequence[Part], local: Gradients, exact: Gradients
) -> list[tuple[Any, ...]]:
    core = [row for row in groups if row[0] in CORE]
    core_parts = [part for part in parts if part.group in CORE]
    active = np.array([row[4] for row in core], dtype=np.float64)
    measured = np.array([row[1:4] for row in core], dtype=np.float64).reshape(-1, 3)
    tensors = np.array([compare(part.of(local), part.of(exact)) for part in core_parts]).reshape(-1, 3)
    dense = np.array([part.dense for part in core_parts], dtype=np.float64)
    ratio = _mean(10.0 ** tensors[:, 1], dense)
    n = int(active.sum())
    return [
        ("all", *(_mean(column, active) for column in measured.T), n),
        ("all (unweighted)", *(_mean(column, np.ones_like(active)) for column in measured.T), n),
        ("all (dense)", _mean(tensors[:, 0], dense), abs(np.log10(ratio)), _mean(tensors[:, 2], dense), n),
        _vector("core vector", core_parts, local, exact),
        _vector("overall vector", parts, local, exact),
    ]


def _mean(values: Floats, weights: Floats) -> float:
    """Weighted mean of what is not nan; nan if there is nothing."""
    good = np.isfinite(values)
    return float(np.average(values[good], weights=weights[good])) if weights[good].sum() > 0 else float("nan")


def _relative(local: Floats, exact: Floats, positive: NDArray[np.bool_]) -> Floats:
    error = np.full(local.shape, np.nan)
    for side in (positive, ~positive):
        typical = float(np.sqrt(np.mean(exact[side] ** 2))) if side.any() else 0.0
        if typical > 0:
            error[side] = (local[side] - exact[side]) / typical
    return error


def _notes(table: np.ndarray[Any, Any]) -> tuple[str, ...]:
    """One sentence on the component groups, and one on the layers, that have a zero gradient."""
    names = table["group"].astype(str)
    undefined = np.isnan(table["cosine"])
    found = []
    for kind, chosen in (("", np.isin(names, GROUPS)), ("layers: ", np.char.find(names, "/stage ") >= 0)):
        for side, lost in (("exact", np.isnan(table["relative_l2"])), ("local", ~np.isnan(table["relative_l2"]))):
            here = names[undefined & chosen & lost].tolist()
            if here:
                left = "" if kind else "; left out of the means"
                found.append(f"{kind}the {side} gradient is zero in {', '.join(here)}: no direction to compare{left}")
    return tuple(found)
