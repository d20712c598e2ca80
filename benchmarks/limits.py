"""What the machine can do at most: memory bandwidth, fused multiply-adds, divisions."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from timing import Progress, Table, load, n_processors, processors

LARGE = 8_000_000  # numbers per array of the triad: 64 MB each, more than caches hold
SMALL = 2_048  # numbers per array of the divisions: first-level cache


@njit(nogil=True, error_model="numpy")
def _triad(a: Any, b: Any, c: Any, scale: float) -> None:
    for i in range(a.size):
        a[i] = b[i] + scale * c[i]


@njit(nogil=True, error_model="numpy")
def _divide(a: Any, b: Any, times: int) -> None:
    one = b.dtype.type(1.0)
    for k in range(times):
        b[k % b.size] += one  # keeps the compiler from doing the work once only
        for i in range(a.size):
            a[i] = one / b[i]


@dataclass(frozen=True)
class Limits:
    """Of one thread.

    Attributes
    ----------
    bandwidth : float
        Bytes per second that a triad reads and writes (write-allocation not counted).
    divides : dict of str to float
        Divisions per second, by dtype.
    """

    bandwidth: float
    divides: dict[str, float]


def _best(work: Callable[[int], Any], threads: int, rounds: int) -> float:
    """Least wall-clock seconds for `work` on every thread at once."""
    times = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            begin = time.perf_counter()
            list(pool.map(work, range(threads)))
            times.append(time.perf_counter() - begin)
    return min(times)


def _triad_rate(threads: int, rounds: int) -> float:
    parts = [(np.ones(LARGE // threads), np.ones(LARGE // threads), np.ones(LARGE // threads)) for _ in range(threads)]
    seconds = _best(lambda k: _triad(parts[k][0], parts[k][1], parts[k][2], 0.5), threads, rounds)
    return 24.0 * (LARGE // threads) * threads / seconds


def _gemm_rate(dtype: str, threads: int, rounds: int) -> float:
    n = 1_024
    parts = [[np.ones((n, n), dtype) for _ in range(3)] for _ in range(threads)]
    seconds = _best(lambda k: np.matmul(parts[k][0], parts[k][1], out=parts[k][2]), threads, rounds)
    return 2.0 * n**3 * threads / seconds


def _divide_rate(dtype: str, threads: int, rounds: int) -> float:
    times = 2_000
    parts = [[np.ones(SMALL, dtype) for _ in range(2)] for _ in range(threads)]
    seconds = _best(lambda k: _divide(parts[k][0], parts[k][1], times), threads, rounds)
    return float(SMALL) * times * threads / seconds


def measure(quick: bool, progress: Progress) -> tuple[Limits, Table]:
    """Measure the limits of one thread and of all processors; best of several rounds."""
    rounds = 5 if quick else 15
    table = Table("limits", "Limits of this machine")
    found: dict[tuple[str, int], float] = {}
    for threads in dict.fromkeys((1, n_processors())):
        progress(f"limits: {threads} thread(s)")
        with processors(threads):
            found["triad", threads] = _triad_rate(threads, rounds)
            for dtype in ("float32", "float64"):
                found[f"gemm {dtype}", threads] = _gemm_rate(dtype, threads, rounds)
                found[f"divide {dtype}", threads] = _divide_rate(dtype, threads, rounds)
    labels = {"triad": "memory, triad, GB/s", "gemm": "multiply-add, GEMM, Gflop/s", "divide": "packed divisions, G/s"}
    for name in dict.fromkeys(key for key, _ in found):
        kind, _, dtype = name.partition(" ")
        rates = {
            f"{threads} thread{'s' * (threads > 1)}": found[name, threads] / 1e9
            for key, threads in found
            if key == name
        }
        table.add(limit=labels[kind], dtype=dtype or "float64", **rates)
    table.notes.append("best of several rounds; the triad counts 24 bytes per number (32 with write-allocation)")
    table.notes.append(load())
    return Limits(found["triad", 1], {d: found[f"divide {d}", 1] for d in ("float32", "float64")}), table
