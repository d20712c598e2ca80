"""Perturbed forward passes of dendritic networks against whole forward passes in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError

from .lessons import KINDS, lesson_of, network_of

OPTIONS = {
    **{kind: (kind, {}) for kind in KINDS},
    "two layers without gates": ("two layers", {"gates": False}),
    "inhibitory cells without gates": ("inhibitory cells", {"gates": False}),
    "additive stacked": ("two layers", {"integration": "additive"}),
    "additive with inhibitory cells": ("inhibitory cells", {"integration": "additive"}),
    "additive without gates": ("additive", {"gates": False}),
    "somatic synapses": ("two layers", {"somatic_synapses": True}),
    "hidden decoder": ("one layer", {"decoder": "mlp"}),
}


def whole_forward(network, x, noise, inject):
    """Logits (B, C) of a forward pass with noise (B, N), compartment by compartment."""
    layout, kind = network.layout, network.integration
    rows = np.concatenate([x, np.full((len(x), layout.n_cells), np.nan)], axis=1)
    voltage = np.full((len(x), layout.size), np.nan)
    output = np.full((len(x), layout.size), np.nan)
    for cell in range(layout.n_cells):
        mine = np.flatnonzero(layout.cell == cell)
        for n in mine[::-1]:
            synapses = slice(layout.first[n], layout.last[n])
            g, sign = network.conductance[synapses], network.sign[synapses]
            driven = rows[:, network.source[synapses]] * g
            excitation, inhibition = driven[:, sign > 0].sum(1), driven[:, sign < 0].sum(1)
            children = np.flatnonzero(layout.parent == n)
            coupling = network.coupling[children]
            top = output[:, children] @ coupling + excitation
            if kind == "shunting":
                below = layout.leak[n] + coupling.sum() + excitation + inhibition
            elif kind == "additive":
                top, below = top - inhibition, 1.0
            else:
                top, below = top - inhibition, layout.leak[n] + coupling.sum() + g.sum()
            top = top + (noise[:, n] if inject == "current" else 0.0)
            voltage[:, n] = top / below + (noise[:, n] if inject == "voltage" else 0.0)
            output[:, n] = voltage[:, n]
            if network.gated[n]:
                steepness = np.exp(network.parameters["log_slope"][n])
                output[:, n] = (np.tanh(steepness * (voltage[:, n] - network.parameters["midpoint"][n])) + 1.0) / 2.0
            output[:, n] += noise[:, n] if inject == "output" else 0.0
        rows[:, layout.n_inputs + cell] = output[:, layout.roots[cell]]
    return network.decoder.forward(network.parameters, rows[:, layout.n_inputs + layout.readout])


@pytest.mark.parametrize("inject", ["voltage", "current", "output"])
@pytest.mark.parametrize("name", OPTIONS)
def test_perturbed_passes_are_whole_forward_passes_with_the_noise_added(name, inject):
    kind, options = OPTIONS[name]
    network = network_of(kind, **options)
    lesson = lesson_of(network, 37)
    noise = 0.05 * np.random.default_rng(8).standard_normal((3, *lesson.credit.shape))
    before = lesson.activity.voltage.copy()
    logits = lesson.perturbed(noise, inject)
    assert logits.shape == (3, 37, 4)
    for found, drawn in zip(logits, noise, strict=True):
        expected = whole_forward(network, lesson.x, lesson.activity.batch_first(drawn), inject)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(lesson.activity.voltage, before)
    assert np.abs(logits - lesson.activity.logits).max() > 1e-4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIONS)
def test_no_noise_leaves_the_logits_as_they_are(name, dtype):
    kind, options = OPTIONS[name]
    network = network_of(kind, dtype, **options)
    lesson = lesson_of(network, 37)
    logits = lesson.perturbed(np.zeros((2, *lesson.credit.shape), dtype))
    np.testing.assert_allclose(
        logits, np.stack([network.run(lesson.x).logits] * 2), rtol=0, atol=4 * np.finfo(dtype).eps
    )


def test_threads_do_not_change_a_bit():
    lesson = lesson_of(network_of("inhibitory cells", cells=[40, 30], branching=[3, 3]), 64)
    noise = np.random.default_rng(1).standard_normal((2, *lesson.credit.shape)) * 0.1
    one = lesson.perturbed(noise)
    lesson.threads = 2
    assert noise.size > 100_000
    np.testing.assert_array_equal(lesson.perturbed(noise), one)


def test_without_gates_logits_are_affine_in_the_noise_of_a_shunting_layer():
    lesson = lesson_of(network_of("no gates"), 16)
    noise = np.random.default_rng(2).standard_normal((1, *lesson.credit.shape))
    small, large = (lesson.perturbed(size * noise) - lesson.activity.logits for size in (1e-3, 3.0))
    np.testing.assert_allclose(large, 3e3 * small, rtol=1e-9, atol=1e-11)


def test_refusals():
    lesson = lesson_of(network_of(), 7)
    noise = np.zeros((2, *lesson.credit.shape))
    with pytest.raises(ParameterError, match=r"inject='light' is not known; valid: 'voltage', 'current', 'output'"):
        lesson.perturbed(noise, "light")
    with pytest.raises(ParameterError, match=r"noise has shape .*; expected \(K, 1, 45, 8\).*float64"):
        lesson.perturbed(noise[0])
    with pytest.raises(ParameterError, match=r"dtype float32; expected"):
        lesson.perturbed(noise.astype(np.float32))
