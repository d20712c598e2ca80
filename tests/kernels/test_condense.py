"""Condensed trees against dense linear algebra: random trees, any set of compartments that must remain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendrosim.kernels.condense import condense


@st.composite
def trees(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    n = draw(st.integers(1, 40))
    reach = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parent = np.array([-1, *(int(rng.integers(max(0, i - reach), i)) for i in range(1, n))])
    parent[rng.random(n) < draw(st.sampled_from([0.0, 0.1]))] = -1  # forests
    active = rng.random(n) < draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    return parent, active, draw(st.sampled_from([1, 4]))


def solved(made, inertia_times_v: np.ndarray, n: int, pack: int) -> np.ndarray:
    """What the kernels do, in plain words: up the chains, the tree that remains, down the chains."""
    b = np.zeros(made.n_slots)
    drive = np.zeros(made.n_slots)
    drive[made.slot] = inertia_times_v
    b[: made.n_dense] = drive[: made.n_dense]
    u = np.zeros(made.n_slots)
    for g, (first, last) in enumerate(made.span):
        for lane in range(pack):
            j = g * pack + lane
            x, y = b[made.entry[j]], 0.0
            for k in range(first + lane, last, pack):
                x = x + drive[k]
                b[k] = x
                y += made.across[k] * x
                x = made.up[k] * x
            b[made.top[j]] += x
            b[made.below[j]] += y
            b[made.n_dense] = 0.0
    a = np.diag(made.ground + made.coupling)
    for i in range(made.n_dense):
        p = made.parent[i]
        if p < made.n_dense:
            a[p, p] += made.coupling[i]
            a[i, p] = a[p, i] = -made.coupling[i]
        else:
            assert made.coupling[i] == 0
    if made.n_dense:
        u[: made.n_dense] = np.linalg.solve(a, b[: made.n_dense])
    for g in range(len(made.span) - 1, -1, -1):
        first, last = made.span[g]
        for lane in range(pack):
            j = g * pack + lane
            v, far = u[made.top[j]], u[made.below[j]]
            for k in range(last - pack + lane, first - 1, -pack):
                v = made.up[k] * v + made.across[k] * far + made.inverse[k] * b[k]
                u[k] = v
    return u[made.slot]


@settings(max_examples=150, deadline=None)
@given(trees())
def test_condensed_trees_solve_the_same_system(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    parent, active, pack = case
    n = parent.size
    rng = np.random.default_rng(n)
    ground, coupling = rng.uniform(0.1, 2.0, n), np.where(parent < 0, 0.0, rng.uniform(0.5, 30.0, n))
    drive = rng.normal(size=n)
    made = condense(parent, ground, coupling, active, pack)
    assert sorted(made.slot) == sorted(set(made.slot))
    assert (made.slot != made.n_dense).all()
    assert (made.slot[active] < made.n_dense).all()
    a = np.diag(ground)
    for i, p in enumerate(parent):
        if p >= 0:
            a[[i, p], [i, p]] += coupling[i]
            a[i, p] -= coupling[i]
            a[p, i] -= coupling[i]
    expected = np.linalg.solve(a, drive)
    np.testing.assert_allclose(solved(made, drive, n, pack), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_nothing_is_left_of_a_cell_without_synapses() -> None:
    made = condense(np.array([-1, 0, 1, 1]), np.ones(4), np.array([0.0, 1, 1, 1]), np.zeros(4, bool))
    assert made.n_dense == 0


def test_a_stick_keeps_its_root_and_what_is_active() -> None:
    made = condense(np.arange(-1, 99), np.ones(100), np.r_[0.0, np.ones(99)], np.arange(100) == 50)
    assert made.n_dense == 2
    assert len(made.span) == 2


@pytest.mark.parametrize("pack", [1, 4])
def test_an_exact_number_for_a_chain_of_three(pack: int) -> None:
    """Ends active, the middle eliminated: conductances in series, by hand."""
    made = condense(
        np.array([-1, 0, 1]), np.array([1.0, 0.0, 1.0]), np.array([0.0, 2.0, 3.0]), np.array([True, False, True]), pack
    )
    np.testing.assert_allclose(made.coupling, [0.0, 2 * 3 / 5], rtol=1e-15)
    np.testing.assert_allclose(made.ground, [1.0, 1.0], rtol=1e-15)
