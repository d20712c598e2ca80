"""Blocks of stimuli on several threads.

Kernels release the GIL and work on a range of blocks each; plain threads then need no threading layer of numba's, whose
OpenMP flavour spins when the cores are busy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

SMALL = 300_000
"""Compartments times stimuli below which one thread is faster than two, about a millisecond of work."""

_SETTLE = 31 * 2**20
"""Bytes; just under the 32 MiB at which glibc stops adapting."""


def settle_allocator() -> None:
    """Let the C library keep freed memory instead of handing it back to the system after every call.

    Results of a few MB are typical here, and fresh pages cost more than solving a tree does (two to three times). glibc
    raises its thresholds for returning memory to the largest block it has seen freed: free one, untouched. Elsewhere
    this does nothing.
    """
    np.empty(_SETTLE, np.uint8)


@lru_cache(maxsize=1)
def _libraries() -> Any:
    """Those that numpy's products of matrices come from; finding them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def products_on_one_thread() -> AbstractContextManager[Any]:
    """Meanwhile numpy's products of matrices start no threads of their own, in this whole process.

    They would be in the way of each other where several threads ask for products.
    """
    limit: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limit


class _Bound:
    """Threads of numpy's products, which are those of a whole process: the first user sets, the last puts back."""

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._limit: Any = None

    @contextmanager
    def to(self, threads: int) -> Iterator[None]:
        from threadpoolctl import threadpool_limits

        with self._lock:
            self._users += 1
            if self._users == 1:
                # libraries may have come since the last time: they are looked for again
                self._limit = threadpool_limits(threads, user_api="blas")
        try:
            yield
        finally:
            self._back()

    def _back(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limit.restore_original_limits()


_MOST: ContextVar[int | None] = ContextVar("most", default=None)
_BOUND = _Bound()


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Meanwhile whatever chooses a number of threads by itself takes no more than these, and so do numpy's products.

    Parameters
    ----------
    threads : int or None
        None for no bound.
    """
    if threads is None:
        yield
        return
    before = _MOST.set(threads)
    try:
        with _BOUND.to(threads):
            yield
    finally:
        _MOST.reset(before)


def available() -> int:
    """Number of threads that may be used: that of processors, unless `at_most` says less."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _MOST.get() or processors)


@lru_cache(maxsize=1)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """One pool per process: threads do not survive a fork."""
    return ThreadPoolExecutor(threads, thread_name_prefix="dendrosim")


def run(kernel: Callable[..., Any], jobs: list[tuple[Any, ...]], threads: int, scratch: Callable[[], Any]) -> None:
    """Call `kernel` with scratch memory and each tuple of arguments, on at most `threads` threads, this one too."""

    def share(part: list[tuple[Any, ...]]) -> None:
        memory = scratch()
        for job in part:
            kernel(memory, *job)

    if len(jobs) == 1:
        kernel(scratch(), *jobs[0])
        return
    shares = [jobs[a:b] for a, b in ranges(len(jobs), threads)]
    others = [_pool(threads, os.getpid()).submit(share, part) for part in shares[1:]]
    share(shares[0])
    for other in others:
        other.result()


def drain(kernel: Callable[..., Any], jobs: list[tuple[Any, ...]], threads: int, scratch: Callable[[], Any]) -> None:
    """The same for jobs of different lengths: every thread takes the next one as it comes free."""
    queue = iter(jobs)

    def share() -> None:
        memory = scratch()
        for job in queue:  # a step of an iterator over a list is atomic
            kernel(memory, *job)

    others = [_pool(threads, os.getpid()).submit(share) for _ in range(min(threads, len(jobs)) - 1)]
    share()
    for other in others:
        other.result()


def ranges(n_blocks: int, parts: int) -> list[tuple[int, int]]:
    """At most `parts` contiguous ranges of nearly equal length that cover the blocks."""
    parts = min(parts, n_blocks)
    if parts <= 1:
        return [(0, n_blocks)]
    return list(pairwise(n_blocks * i // parts for i in range(parts + 1)))
