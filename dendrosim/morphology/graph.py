"""Samples as a networkx graph, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arguments import short
from ..errors import MorphologyError
from .samples import Samples, region_name

if TYPE_CHECKING:
    from networkx import DiGraph

_ATTRIBUTES = ("x", "y", "z", "radius", "type")


def to_graph(samples: Samples) -> DiGraph:
    """Graph from the root to the tips, frozen; see `Morphology.graph`."""
    import networkx

    graph = networkx.DiGraph()
    ids = samples.id.tolist()
    names = {structure: region_name(structure) for structure in np.unique(samples.type).tolist()}
    rows = zip(ids, samples.xyz.tolist(), samples.radius.tolist(), samples.type.tolist(), strict=True)
    graph.add_nodes_from(
        (node, {"x": x, "y": y, "z": z, "radius": radius, "type": structure, "region": names[structure]})
        for node, (x, y, z), radius, structure in rows
    )
    child = np.flatnonzero(samples.parent >= 0)
    graph.add_edges_from(zip(samples.id[samples.parent[child]].tolist(), samples.id[child].tolist(), strict=True))
    return networkx.freeze(graph)


def from_graph(graph: DiGraph) -> Samples:
    """Samples of a graph, in the order of its nodes; see `Morphology.from_graph`.

    Raises
    ------
    MorphologyError
        If a node is no int, lacks an attribute or has two parents; names the node.
    """
    if not hasattr(graph, "predecessors"):
        raise MorphologyError(f"graph={short(graph)} must be a networkx.DiGraph with edges from parents to children")
    row = {node: place for place, node in enumerate(graph)}
    values, parent = [], []
    for node, attributes in graph.nodes(data=True):
        if isinstance(node, bool) or not isinstance(node, int | np.integer):
            raise MorphologyError(f"node {node!r} is not an int; nodes are sample identifiers")
        missing = [name for name in _ATTRIBUTES if name not in attributes]
        if missing:
            raise MorphologyError(f"node {node} lacks {', '.join(missing)}; every node needs {', '.join(_ATTRIBUTES)}")
        above = list(graph.predecessors(node))
        if len(above) > 1:
            raise MorphologyError(
                f"node {node} has {len(above)} parents: {', '.join(map(str, above))}; edges run "
                "from parent to child, one parent each"
            )
        values.append([attributes[name] for name in _ATTRIBUTES])
        parent.append(row[above[0]] if above else -1)
    table = np.array(values, dtype=np.float64).reshape(len(values), len(_ATTRIBUTES))
    return Samples(
        id=np.array(list(row), dtype=np.int64),
        type=table[:, 4].astype(np.int64),
        xyz=table[:, :3],
        radius=table[:, 3],
        parent=np.array(parent, dtype=np.int64),
    )
