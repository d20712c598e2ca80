"""Orders of trees against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from dendrosim.kernels import trees


@pytest.mark.parametrize("seed", range(20))
def test_preorder_depth_and_sums(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    parent = np.array([-1] + [int(rng.integers(k)) for k in range(1, n)])
    shuffle = rng.permutation(n)
    mixed = np.full(n, -1)
    mixed[shuffle] = np.where(parent >= 0, shuffle[parent], -1)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((int(p), k) for k, p in enumerate(mixed) if p >= 0)
    root = int(shuffle[0])
    expected = list(nx.dfs_preorder_nodes(graph, root, sort_neighbors=sorted))
    assert trees.preorder(mixed).tolist() == expected
    ordered = nx.DiGraph([(int(p), k) for k, p in enumerate(parent) if p >= 0])
    ordered.add_node(0)
    distance = nx.shortest_path_length(ordered, 0)
    assert trees.depth(parent).tolist() == [distance[k] for k in range(n)]
    before, after = rng.random((2, n))
    sums = trees.accumulate(parent, before, after)
    for k in range(n):
        path = nx.shortest_path(ordered, 0, k)
        assert sums[k] == pytest.approx(before[path].sum() + after[path[:-1]].sum())


def test_preorder_leaves_out_cycles_and_never_recurses():
    assert trees.preorder(np.array([-1, 0, 3, 2])).tolist() == [0, 1]
    chain = np.arange(-1, 199_999)
    assert trees.preorder(chain).size == 200_000
    assert trees.depth(chain)[-1] == 199_999
