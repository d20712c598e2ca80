"""Small networks, exact Jacobians and prepared signals for tests of noise correlation."""

from __future__ import annotations

import itertools

import numpy as np

from dendrosim.networks.network import Network

CLASSES = 4


def affine(integration="additive", cells=(3,), branching=(2, 2), seed=3, **options):
    """Without gates, outputs are affine in what is perturbed; in additive cells J does not depend on the input."""
    options = {"excitatory": 3, "inhibitory": 2, "gates": False, "dtype": "float64", **options}
    return Network.dendritic(9, CLASSES, list(cells), list(branching), integration=integration, seed=seed, **options)


def gated(integration="shunting", cells=(3,), branching=(2, 2), **options):
    network = affine(integration, cells, branching, gates=True, **options)
    network.calibrate(np.random.default_rng(0).random((64, 9)))
    return network


def jacobians(lesson, of="voltage"):
    """dy/dV_n (or dy/da_n, dy/dI_n) of every sample by the chain rule along each path, (B, CLASSES, N)."""
    network, a = lesson.network, lesson.activity
    layout, weight = network.layout, network.parameters["decoder_weight"]
    slope, resistance = a.batch_first(a.derivative), a.batch_first(a.resistance)
    found = np.zeros((a.n_samples, CLASSES, layout.size))
    by_output = np.zeros_like(found)
    for n in range(layout.size):
        p = layout.parent[n]
        if p < 0:
            by_output[:, :, n] = weight[:, layout.cell[n]]
        else:
            by_output[:, :, n] = found[:, :, p] * (resistance[:, p] * network.coupling[n])[:, None]
        found[:, :, n] = by_output[:, :, n] * slope[:, n, None]
    if of == "output":
        return by_output
    return found * resistance[:, None] if of == "current" else found


def prepared(signal, network, seed=0):
    signal.prepare(network, np.random.default_rng(seed))
    return signal


def every_sign(lesson, sigma):
    """Each combination of signs of all units, for every sample the same: noise (2^N, n_blocks, N, width).

    Averages over it are expectations over independent signs.
    """
    n = lesson.network.layout.size
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=n)))
    noise = np.empty((len(signs), *lesson.credit.shape))
    noise[...] = sigma * signs[:, None, :, None]
    return noise


def quiet(lesson, noise, layer):
    """The noise of one layer only."""
    return noise * (lesson.network.layout.layer == layer)[:, None]
