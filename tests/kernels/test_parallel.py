"""Threads: never more than were allowed."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info

from dendrosim.kernels import parallel


def _products() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_a_bound_holds_for_those_who_choose_and_for_products():
    free, before = parallel.available(), _products()
    with parallel.at_most(1):
        assert parallel.available() == 1
        assert set(_products()) <= {1}
    with parallel.at_most(free + 5):
        assert parallel.available() == free
    assert parallel.available() == free
    assert _products() == before
    with parallel.at_most(None):
        assert (parallel.available(), _products()) == (free, before)


def test_a_bound_is_lifted_by_the_last_who_wants_it():
    before = _products()
    first, second = parallel.at_most(1), parallel.at_most(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(_products()) <= {1}
    second.__exit__(None, None, None)
    assert _products() == before
