"""Forward passes of a minibatch whose compartments are perturbed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from ..kernels import parallel
from ..kernels.memory import aligned
from ..networks.layout import INPUT
from ..networks.network import spans

if TYPE_CHECKING:
    from .lesson import Lesson, TreeLesson

Floats = NDArray[Any]

INJECT = ("voltage", "current", "output")
MANY = 100_000
"""Compartments times samples times draws below which one thread is faster than two."""


def check_noise(lesson: Lesson, noise: Floats, inject: str) -> str:
    """`inject`, if it is known and the noise fits the minibatch.

    Raises
    ------
    ParameterError
        If there is no such way of injecting, or the noise has another shape or type.
    """
    like = lesson.activity.voltage
    if noise.ndim != 4 or noise.shape[1:] != like.shape or noise.dtype != like.dtype:
        expected = ", ".join(map(str, like.shape))
        raise ParameterError(
            f"noise has shape {noise.shape} and dtype {noise.dtype}; expected (K, {expected}) and {like.dtype}: an "
            "array as activity.empty(N) makes it for each of K draws"
        )
    return choose("inject", inject, INJECT)


def perturbed(lesson: TreeLesson, noise: Floats, inject: str) -> Floats:
    """Logits of a minibatch under K perturbations of every compartment.

    The network's inputs stay as they are, so that only changes are carried along the trees, and on to later cells;
    what comes out is what K whole forward passes with the noise added would give.

    Parameters
    ----------
    noise : array of shape (K, n_blocks, N, width)
    inject : {"voltage", "current", "output"}
        What moves by the noise: V_n, before its gate; the current into compartment n, and V_n by R_n as much; or
        a_n = f(V_n).

    Returns
    -------
    array of shape (K, B, n_outputs)

    Raises
    ------
    ParameterError
        If the noise has another shape or type.
    """
    from ..kernels import perturb

    network, activity = lesson.network, lesson.activity
    layout, dtype = network.layout, network.dtype
    place = INJECT.index(check_noise(lesson, noise, inject))
    draws, width = len(noise), activity.width
    somas = aligned((draws, activity.n_blocks, layout.n_cells, width), dtype)
    tree = [layout.parent, layout.roots, layout.first, layout.middle, layout.last]
    mine = [network.source, network.conductance, network.coupling, network.slope, network.parameters["midpoint"]]
    kind = (network.force, dtype.type(network.kind.shunt), layout.n_inputs)
    known = [v.reshape(-1) for v in (activity.presynaptic, activity.voltage, activity.resistance, activity.output)]
    arrays = [*known, np.ascontiguousarray(noise).reshape(-1), somas.reshape(-1)]
    threads = lesson.threads if noise.size > MANY else 1
    targets = {p.target for p in layout.projections if p.source != INPUT}
    scratch = partial(aligned, layout.largest * width, dtype)
    for population, cells in zip(layout.populations, layout.cells_of, strict=True):
        fixed = [*tree, *mine, *kind, *arrays, population.name in targets, place, draws, activity.n_blocks]
        jobs = [(*fixed, *part, activity.lanes) for part in spans(*cells, threads)]
        parallel.run(perturb.perturbed, jobs, threads, scratch)
    rows = somas.transpose(0, 1, 3, 2).reshape(draws, -1, layout.n_cells)[:, : activity.n_samples]
    read = rows if layout.readout.size == layout.n_cells else rows[:, :, layout.readout]
    logits = network.decoder.forward(network.parameters, np.ascontiguousarray(read).reshape(-1, layout.readout.size))
    return logits.reshape(draws, activity.n_samples, -1)
