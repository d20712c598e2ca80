"""Layers of dendritic neurons as populations and projections, and a trained cell back on its tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import flag, index, several, short
from ..biophysics.gates import Gate
from ..biophysics.synapses import Synapses
from ..errors import ParameterError
from ..morphology.compartments import Compartments
from .layout import INPUT, Population, Projection

if TYPE_CHECKING:
    from .network import Network


_MOST = 10_000_000
"""Cells, or synapses of a compartment."""


def layers(
    cells: Sequence[int],
    branching: Sequence[int],
    excitatory: int | Sequence[int],
    inhibitory: int | Sequence[int],
    inhibitory_cells: Sequence[int] | None,
    somatic: bool,
    trees: Compartments | Sequence[Compartments] | None,
) -> tuple[list[Population], list[Projection], list[str]]:
    """Populations, projections and readout of `Network.dendritic`."""
    hint = "a list of positive numbers, one per layer, such as [128]"
    given = several("cells", cells, hint)
    if not given or any(not _whole(n, 1) for n in given):
        raise ParameterError(f"cells={short(cells)} must be {hint}")
    cells = given
    inhibitors = [0] * len(cells)
    if inhibitory_cells is not None:
        inhibitors = several("inhibitory_cells", inhibitory_cells, "a list of numbers, one per layer")
    if len(inhibitors) != len(cells) or any(not _whole(n, 0) for n in inhibitors):
        raise ParameterError(
            f"inhibitory_cells={short(inhibitory_cells)} must give a number for each of the {len(cells)} layers"
        )
    n_e, n_i = _per_layer("excitatory", excitatory, len(cells), 1), _per_layer("inhibitory", inhibitory, len(cells), 0)
    shapes = iter(_trees(trees, branching, sum(cells) + sum(inhibitors)))
    populations, projections, source = [], [], INPUT
    onto = "all" if flag("somatic_synapses", somatic) else "dendrites"
    for i, (n, k) in enumerate(zip(cells, inhibitors, strict=True)):
        name = f"layer{i + 1}"
        populations.append(Population(name, tuple(next(shapes) for _ in range(n))))
        projections.append(Projection(source, name, 1, n_e[i], onto))
        inhibition = source
        if k:
            inhibition = f"{name}_inhibitory"
            populations.append(Population(inhibition, tuple(next(shapes) for _ in range(k))))
            projections.append(Projection(source, inhibition, 1, n_e[i], onto))
            if not n_i[i]:
                raise ParameterError(f"layer {i + 1} has inhibitory cells and inhibitory=0; give it synapses for them")
        if n_i[i]:
            projections.append(Projection(inhibition, name, -1, n_i[i], onto))
        source = name
    return populations, projections, [source]


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and _MOST >= int(value) >= least


def _per_layer(name: str, value: int | Sequence[int], n_layers: int, least: int) -> list[int]:
    hint = f"a whole number of at least {least}, or one for each of {n_layers} layers"
    given: list[Any] = [value] * n_layers if isinstance(value, int | np.integer) else several(name, value, hint)
    if len(given) != n_layers or any(not _whole(k, least) for k in given):
        raise ParameterError(f"{name}={short(value)} must be {hint}")
    return given


def _trees(
    trees: Compartments | Sequence[Compartments] | None, branching: Sequence[int], n: int
) -> Sequence[Compartments]:
    if trees is None:
        return [Compartments.branching(branching)] * n
    hint = "the compartments of one cell, or a list of one for each cell"
    given = [trees] * n if isinstance(trees, Compartments) else several("trees", trees, hint)
    if len(given) != n or any(not isinstance(t, Compartments) or t.n_cells != 1 for t in given):
        raise ParameterError(
            f"trees must be the compartments of one cell, used for all, or a list of one for each of {n} cells"
        )
    return given


def exported(network: Network, k: int) -> tuple[Compartments, Synapses, Gate | None]:
    """See `Network.cell`."""
    layout = network.layout
    k = index("cell", k, layout.n_cells)
    first = int(layout.roots[k])
    last = int(layout.roots[k + 1]) if k + 1 < layout.n_cells else layout.size
    scale = np.ones(last - first)
    if network.kind.normal:
        scale = 1.0 / network.base[first:last].astype(np.float64)
    tree = layout.trees[k]
    parent = tree.parent
    coupling = network.coupling[first:last].astype(np.float64)
    coupling[1:] *= scale[parent[1:]]
    compartments = tree.with_(coupling=coupling)
    chosen = slice(int(layout.first[first]), int(layout.last[last - 1]))
    at = np.repeat(np.arange(last - first), layout.last[first:last] - layout.first[first:last])
    synapses = Synapses(
        compartments,
        at,
        network.source[chosen],
        sign=network.sign[chosen],
        conductance=network.conductance[chosen] * scale[at],
        n_inputs=layout.n_rows,
    )
    if not network.gated[first:last].any():
        return compartments, synapses, None
    if not network.gated[first:last].all():
        raise ParameterError(
            f"cell {k} has branch points without gates, which a Gate cannot say; use trees without branch points, or "
            "a network with gates=False"
        )
    return compartments, synapses, Gate(network.slope[first:last], network.parameters["midpoint"][first:last])
