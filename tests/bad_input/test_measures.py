"""Diagnostics, stores of runs and plots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dendrosim as ds

NUMBERS = [0.91, 0.93, 0.9, 0.95, 0.92]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    task = ds.tasks.load("digits").subset(40, 20)
    network = ds.Network.dendritic(64, 10, cells=[3], branching=[2], excitatory=4, inhibitory=2)
    x, y = task.x_train[:12], task.y_train[:12]
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        for rule in ("3F", "5F"):
            run = ds.train(network, task, rule=rule, epochs=1, batch_size=8, seed=seed)
            (folder / rule).mkdir(exist_ok=True)
            run.save(folder / rule / f"seed-{seed}.h5")
    cell = ds.Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 105 0 0 1 2\n4 3 50 9 0 1 2\n", "stick")
    compartments = cell.compartments(ds.Passive(), max_length=25.0)
    synapses = ds.Synapses(compartments, [1, 2, 3], sign=[1, 1, -1])
    spikes = ds.Spikes([1.0, 2.0], [0, 1], n_inputs=3)
    learner = ds.Learner(network, "per_soma", "3F")
    return {
        "ds": ds, "np": np, "task": task, "network": network, "x": x, "y": y, "folder": str(folder), "run": run,
        "runs": ds.runs.load(folder), "cell": cell, "compartments": compartments, "synapses": synapses,
        "state": ds.steady_state(compartments, synapses, np.ones((2, 3))), "n": compartments.size,
        "whole": ds.simulate(compartments, synapses, spikes, dt=0.1, duration=5.0, record="all"),
        "trace": ds.simulate(compartments, synapses, spikes, dt=0.1, duration=5.0),
        "report": ds.fidelity(network, x, y), "local": np.arange(1.0, 5.0), "exact": np.arange(2.0, 6.0),
        "local_gradients": learner.gradients(x, y), "neurons": ds.Neurons(compartments, synapses, 2, seed=0),
        "random": ds.diagnostics.DendriticSubject(network, "dfa"),
        "subject": ds.diagnostics.DendriticSubject(network), "activity": np.random.default_rng(0).random((40, 3)),
        "values": np.array(NUMBERS), "classes": np.arange(40) % 4, "file": str(folder / "3F" / "seed-0.h5"),
        "layers": ds.diagnostics.DendriticSubject(network).layers(x, y),
        "interval": ds.diagnostics.mean_interval(NUMBERS), "gains": ds.diagnostics.path_gains(network, x),
    }  # fmt: skip


CALLS = [
    "ds.fidelity(network, x, y, teaching='per_soma', rule='5F', loss='cross_entropy', seed=0, threads=1, "
    "warmup=[(x, y)], state=None)",
    "ds.credit_fidelity(network, x, y, teaching='per_soma', loss='cross_entropy', seed=0, warmup=[(x, y)], state=None)",
    "ds.diagnostics.Accuracy(8, 10)",
    "ds.diagnostics.Accuracy.of(0.8)",
    "ds.diagnostics.Thresholds(50.0, 1e-8, 10.0, 0.02, 0.8)",
    "ds.diagnostics.DendriticSubject(network, 'per_soma', loss='cross_entropy', state=None, seed=0)",
    "subject.layers(x, y)",
    "subject.predict(x)",
    "ds.diagnostics.audit(subject, x, y, frozen=0.5, exact=0.9, samples=8, thresholds=None)",
    "ds.diagnostics.measure(layers, 1e-8)",
    "ds.diagnostics.fresh_null(random, x, y, 2, 0)",
    "ds.diagnostics.nudging(subject, x, y, 0.01)",
    "ds.diagnostics.bootstrap_interval(values, level=0.9, seed=0, n_resamples=100)",
    "ds.diagnostics.branch_information(activity, activity, classes, k=3, most=30, seed=0)",
    "ds.diagnostics.class_information(activity, classes, k=3, seed=0)",
    "ds.diagnostics.compare_gradients(network, local_gradients.values, local_gradients.values)",
    "ds.diagnostics.compare_pairs(values, values[::-1], level=0.95, seed=0)",
    "ds.diagnostics.cosine(local, exact)",
    "ds.diagnostics.log_scale(local, exact)",
    "ds.diagnostics.relative_l2(local, exact)",
    "ds.diagnostics.effect_of_groups(values, values[:4], level=0.95)",
    "ds.diagnostics.effect_of_pairs(values, level=0.95)",
    "ds.diagnostics.fidelity_history([network], x, y, epochs=[0.0])",
    "ds.diagnostics.fit_lognormal(values)",
    "ds.diagnostics.holm(values)",
    "ds.diagnostics.loss_change([1.0, 0.9, 0.8])",
    "ds.diagnostics.manifold(network, x, rank=0.9, draws=2, seed=0, threads=1)",
    "ds.diagnostics.mean_interval(values, level=0.95)",
    "ds.diagnostics.mean_jacobian(network, x, threads=1)",
    "ds.diagnostics.network_information(network, x, y, k=1, most=12, seed=0)",
    "ds.diagnostics.noise_robustness(network, x, y, levels=(0.0, 0.1), draws=1, seed=0)",
    "ds.diagnostics.paired_difference(values, values[::-1], level=0.95)",
    "ds.diagnostics.participation_ratio(activity)",
    "ds.diagnostics.path_gains(network, x, y)",
    "ds.diagnostics.path_gain_proxies(neurons, activity, proxies=['rho'], rank=3, samples=(10,), repetitions=2, "
    "seed=0, inject='current', sigma=0.1, noise='gauss', baseline='clean', targets=None)",
    "ds.diagnostics.predicted_fidelity(compartments, direction='reciprocal', density='length', input_resistance=True)",
    "ds.diagnostics.principal_angles(activity[:2], np.eye(3)[:, :2])",
    "ds.diagnostics.subspace_alignment(activity[:2], np.eye(3)[:, :2])",
    "ds.diagnostics.random_alignment(network, x, y, draws=2, teaching='dfa', rule='3F', seed=0, threads=1)",
    "ds.diagnostics.two_nn(activity, discard=0.1)",
    "ds.diagnostics.weight_distributions(network)",
    "report.layers('layer1', 'excitatory')",
    "ds.runs.load(folder)",
    "ds.Run.load(file, network=True, records=True)",
    "run.save('r.h5')",
    "ds.runs.Summary(runs, 0.95, 'test_accuracy', pooled=False)",
    "ds.runs.Store('store')",
    "ds.runs.Sweep.load('sweep_digits', ['training.epochs=1'], [0, 1], None)",
    "ds.runs.audit_runs(runs, samples=8, nudges=False, null=0, frozen=0.5, exact=0.9, thresholds=None)",
    "runs.where(arm='3F')",
    "ds.plotting.plot_accuracy_against_passes(runs, metric='validation_accuracy', ax=None, legend=True)",
    "ds.plotting.plot_attenuation(state, attenuation=None, stimulus=0, distance='path', log=False, legend=True)",
    "ds.plotting.plot_attenuation_panels(compartments, whole, 1, start=0.0, moments=[1.0], stimulus=0, points=2, "
    "steady=None, until=4.0, projection='xy')",
    "ds.plotting.plot_dendrogram(compartments, np.ones(n), distance='path', cmap='viridis', vmin=-2.0, vmax=2.0, "
    "percentile=None, label='a', unit='mV', legend=True, linewidth=1.0)",
    "ds.plotting.plot_fidelity(report, quantity='cosine', groups=['excitatory'], ax=None, legend=True)",
    "ds.plotting.plot_fidelity_by_stage(report, quantity='cosine', population='layer1', group='excitatory', "
    "legend=True)",
    "ds.plotting.plot_fidelity_over_training(ds.diagnostics.FidelityHistory([0.0], [report]), quantity='cosine', "
    "groups=('all',), legend=True)",
    "ds.plotting.plot_fidelity_trees(report, quantity='cosine', cells=[0], kind='dendrogram', vmin=0.0, vmax=1.0)",
    "ds.plotting.plot_gap({'a': interval}, published={'a': 0.9}, chance=0.1, label='b', ax=None, legend=True)",
    "ds.plotting.plot_gradient_map(compartments, np.ones(n), ax=None, percentile=90.0, label='a', unit='mV')",
    "ds.plotting.plot_learning_curve(runs, metric='validation_accuracy', ax=None, label='a', log=False, legend=True)",
    "ds.plotting.plot_morphology(cell, None, ax=None, projection='xy', color='k')",
    "ds.plotting.plot_morphology(compartments, np.ones(n), projection='xz', cmap='viridis', vmin=0.0, vmax=2.0, "
    "percentile=None, label='a', unit='mV', legend=True, synapses=synapses, minimum_width=0.5)",
    "ds.plotting.plot_morphology_3d(compartments, np.ones(n), color=None, cmap='viridis', vmin=0.0, vmax=2.0, "
    "percentile=None, label='a', unit='mV', legend=True, view=(20.0, 30.0), minimum_width=0.5)",
    "ds.plotting.plot_paired_difference({'a': interval}, label='b', ax=None)",
    "ds.plotting.plot_path_gain(gains, what='gain', ax=None, log=True, legend=True)",
    "ds.plotting.plot_profile(compartments, np.ones(n), distance='path', ax=None, label='a', unit='mV', log=False, "
    "legend=True)",
    "ds.plotting.plot_raster(trace, compartments=[0], stimuli=[0], ax=None)",
    "ds.plotting.plot_synapse_map(compartments, [1, 2], [0.1, 0.2], projection='xy', cmap='viridis', vmin=-1.0, "
    "vmax=1.0, percentile=None, label='a', unit='nS', marker='o', size=7.0, color='k')",
    "ds.plotting.plot_synapse_maps(compartments, synapses, [0.1, 0.2, 0.3], scale='shared', projection='xy', "
    "cmap='viridis', percentile=98.0, label='a', unit='nS', size=7.0)",
    "ds.plotting.plot_trace(trace, compartments=[0], stimuli=[0], labels=['a'], spikes=True, unit='mV', legend=True)",
    "ds.plotting.plot_weight_distribution(values, None, bins=5, color='k', label='a', ax=None)",
    "ds.plotting.region_color('basal')",
]


SOME = ("None", "text", "minus one", "nan", "list of None", "object")  # a figure takes long
STYLE = {"object", "list of None", "text", "minus one", "nan", "capitals", "with NUL", "None"}
MATPLOTLIB = {"cmap": STYLE, "color": STYLE, "marker": STYLE}
MATPLOTLIB |= {"label": {"with NUL"}, "unit": {"with NUL"}, "labels": {"with NUL"}}
"""Colours and text are matplotlib's to judge, which lists what it knows."""


@pytest.mark.parametrize("call", CALLS)
def test_hostile_arguments(call: str, names: dict[str, Any], attack: Callable[..., None]) -> None:
    slow = call.startswith(("ds.plotting", "ds.runs.audit", "ds.runs.Sweep", "ds.Run."))
    drawing = call.startswith("ds.plotting")
    attack(call, names, MATPLOTLIB if drawing else {}, SOME if slow else None)
