"""Networks, learners, rules, teaching signals, losses, training, tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds


@pytest.fixture
def names(tmp_path: Path) -> dict[str, Any]:
    task = ds.tasks.load("digits").subset(24, 12)
    network = ds.Network.dendritic(64, 10, cells=[3], branching=[2], excitatory=4, inhibitory=2)
    point = ds.networks.PointMLP(64, 10, [5])
    residual = ds.networks.ResMLP(64, 10, 8, 2)
    x, y = task.x_train[:6], task.y_train[:6]
    tree = ds.Compartments.branching([2])
    synapses = ds.Synapses(tree, [1, 2, 2], sign=[1, 1, -1])
    neurons = ds.Neurons(tree, synapses, 2, direction="directed")
    stored = {"network": network, "neurons": neurons, "point": point, "residual": residual}
    for name, one in stored.items():
        one.save(tmp_path / f"{name}.h5")
    return {
        **{f"file_of_{name}": tmp_path / f"{name}.h5" for name in stored},
        "ds": ds, "np": np, "task": task, "network": network, "point": point, "residual": residual, "x": x, "y": y,
        "tree": tree, "synapses": synapses,
        "neurons": neurons,
        "rng": np.random.default_rng(0), "scores": np.ones((6, 10)),
        "learner": ds.Learner(network, "per_soma", "3F"), "population": ds.networks.Population("a", (tree,)),
        "projection": ds.networks.Projection("input", "a", 1, 2),
    }  # fmt: skip


CALLS = [
    "ds.Network.dendritic(64, 10, [3], [2], 4, 2, 'shunting', 0, inhibitory_cells=[2], gates=True, "
    "positive='softplus', connectivity='topk', decoder='linear', dtype='float32')",
    "ds.Network(64, 10, [population], [projection], ['a'], integration='shunting', gates=True, seed=0, positive='exp', "
    "connectivity='topk', decoder='linear', initialisation='fair', dtype='float32')",
    "ds.networks.Population('a', (tree,))",
    "ds.networks.Projection('input', 'a', 1, 2, 'dendrites')",
    "network.calibrate(x)",
    "network.cell(0)",
    "network.forward(x, threads=1)",
    "network.predict(x, threads=1)",
    "network.save('n.h5')",
    "neurons.save('n.h5')",
    "point.save('n.h5')",
    "residual.save('n.h5')",
    "ds.Network.load(file_of_network)",
    "ds.Neurons.load(file_of_neurons)",
    "ds.networks.PointMLP.load(file_of_point)",
    "ds.networks.ResMLP.load(file_of_residual)",
    "network.synaptic_conductance(x, 1)",
    "ds.Neurons(tree, synapses, 2, readout='linear', integration='shunting', direction='directed', gate=None, seed=0, "
    "reference=0.0, scale=1.0, positive='softplus', learn_couplings=True)",
    "ds.networks.PointMLP(64, 10, [5], 0, 'float32', activation='relu', init='kaiming', gain=1.0, density=0.5)",
    "ds.networks.PointMLP.matching(500, 64, 10, 0)",
    "point.predict(x, threads=1)",
    "ds.networks.ResMLP(64, 10, 8, 2, hidden=8, block='2lin', terminal_norm=True, center=0.0, scale=1.0, seed=0, "
    "dtype='float32')",
    "ds.networks.StudentNet(64, 10, 8, 2, hidden=8, center=0.0, scale=1.0, seed=0, dtype='float32')",
    "ds.networks.ViTMini(192, 10, 8, 2, patch=4, heads=2, hidden=8, channels=3, center=0.0, scale=1.0, seed=0, "
    "dtype='float32')",
    "residual.predict(x)",
    "ds.networks.MLP([4, 3])",
    "ds.train(network, task, teaching='per_soma', rule='3F', loss='cross_entropy', epochs=1, seed=0, batch_size=8, "
    "validation=0.2, optimiser='adam', rates=1e-2, decay=0.01, schedule='constant', decoder='local', clip_value=5.0, "
    "clip_norm=1.0, patience=3, restore_best=True, test_each_epoch=False, callbacks=[], progress=False, "
    "checkpoint='c.h5', resume=False, threads=1)",
    "ds.train(point, task, teaching='dfa', rule='3F', epochs=1, batch_size=8)",
    "ds.train(residual, task, teaching='bp', rule='3F', epochs=1, batch_size=8)",
    "ds.Learner(network, 'per_soma', '3F', loss='cross_entropy', optimiser='adam', rates=1e-2, seed=0)",
    "ds.plasticity.PointLearner(point, 'dfa', '3F', seed=0)",
    "ds.plasticity.ResidualLearner(residual, 'bp', '3F', loss='cross_entropy', seed=0, optimiser='adamw', rates=1e-3, "
    "decay=0.0, decoder='exact', clip_value=1.0, clip_norm=1.0)",
    "ds.NeuronLearner(neurons, 'per_soma', '3F', seed=0)",
    "learner.gradients(x, y)",
    "ds.plasticity.rule('3F', [ds.plasticity.Depth()])",
    "ds.plasticity.Rule('a', [ds.plasticity.Depth()], 'matched')",
    "ds.plasticity.HSIC(0.01, 0.3, 0.3, 'rbf', 1.0, 0.1, 940, 'all')",
    "ds.plasticity.SGD(1.0)",
    "ds.plasticity.Adam(0.9, 0.999, 1e-8, 1.0)",
    "ds.plasticity.AdamW(0.01, 0.9, 0.999, 1e-8, 1.0)",
    "ds.plasticity.Momentum(0.9, 1.0)",
    "ds.plasticity.ApicalBasal(1.5, 1.0, [0], ['apical'])",
    "ds.plasticity.BlockRule(0.1)",
    "ds.plasticity.DendriticNormalisation(1e-8)",
    "ds.plasticity.Depth(1.0, 1.0, False)",
    "ds.plasticity.PathGain('layer')",
    "ds.plasticity.Phi('layer', 'voltage', '1/(1-R2)', 0.1, 0.001, 1e-12, (0.25, 4.0))",
    "ds.plasticity.Rho('pearson', 'voltage', 0.1, (0.1, 2.0), 1e-8)",
    "ds.teaching.teaching('dfa', scale=1.0)",
    "ds.teaching.DFA(1.0, 'cell')",
    "ds.teaching.FA(1.0, 'random', 'positive')",
    "ds.teaching.EBD(0.999, 0.01, 1, 'identity', 'output', None, True, 'compartment', 'one')",
    "ds.teaching.SBD(0.999, 0.01, 1, 'identity', 'output', None, True, 'compartment', 'one')",
    "ds.teaching.EBD(power=[0.1, 0.1], entropy=[0.1, 0.1, 0.1], sparsity=0.1, whiten=0.1, forward=0.0)",
    "ds.teaching.SBD(power=[0.1, 0.1], entropy=[0.1, 0.1, 0.1], sparsity=0.1, whiten=0.1, forward=0.0)",
    "ds.teaching.VNC(1, 0.05, 'rademacher', 0.05, 1, 'output', False, 'clean', 'together', 'zero', None)",
    "ds.teaching.NMNC(0.9, 20, 512, 'buffer', 'flat', 1, 0.05, 'rademacher', 0.05, 1, 'output', "
    "antithetic=False, baseline='clean', layers='together', init='zero')",
    "ds.teaching.Degraded('per_soma', False, 4, 0.5, 0.1, 0.1)",
    "ds.teaching.KolenPollack(1.0, 'soma')",
    "ds.teaching.LocalMismatch(False)",
    "ds.teaching.LowRank(2, 1.0, 'cell')",
    "ds.teaching.Mirror(1, 0.05, 'rademacher', 0.05, 1, False, 'clean')",
    "ds.teaching.NodePerturbation(1, 'loss', 0.05, 'clean', 'rademacher', 'output', False, 'together')",
    "ds.teaching.PerSoma('tree', 'exact', 1.0, False)",
    "ds.teaching.Scalar(False)",
    "ds.teaching.Shuffled('exact', 1.0)",
    "ds.teaching.expansion('constant')",
    "ds.losses.loss('cross_entropy', label_smoothing=0.1)",
    "ds.losses.CrossEntropy(0.1, [1.0, 2.0])",
    "ds.losses.Bregman('squared', 'identity')",
    "ds.losses.Expectile([0.5, 0.2])",
    "ds.losses.ExponentialFamily('poisson', 'identity', 1.0)",
    "ds.losses.Gamma([1.0])",
    "ds.losses.NegativeBinomial([1.0])",
    "ds.losses.Pinball([0.5])",
    "ds.losses.Poisson([1.0])",
    "ds.losses.ScoringRule('kl')",
    "ds.losses.CrossEntropy().value(scores, y)",
    "ds.losses.CrossEntropy().score(scores, y)",
    "ds.losses.SquaredError().score_product(scores, scores, scores)",
    "ds.training.Checkpoint('c.h5', 1, 30.0)",
    "ds.training.Cosine(0.0, 0.1, 'batch')",
    "ds.training.Step(2, 0.5)",
    "ds.training.KeepTeaching('a')",
    "ds.training.Record(len, 1, 'a')",
    "ds.training.RecordCredit(1, 8, 'a')",
    "ds.training.RecordEvaluation(1, 8, 1e-8, 'a')",
    "ds.training.RecordFidelity(1, 8, 'per_soma', '3F', 'a')",
    "ds.tasks.load('digits', 0)",
    "ds.tasks.load('student', 0, n_train=10, n_test=5)",
    "ds.tasks.load('noise_lines', 0, n_train=10, n_test=5)",
    "ds.tasks.load('hierarchical', 0, source='digits', n_train=10, n_test=5)",
    "ds.tasks.load('cue_integration', 0, n_train=10, n_test=5)",
    "ds.tasks.load('info_shunting', 0, n_train=10, n_test=5)",
    "ds.tasks.load('context_gating', 0, n_train=10, n_test=5)",
    "ds.tasks.on_off(x)",
    "ds.tasks.standardisation(task)",
    "ds.tasks.Task.from_arrays('a', x, y, x, y, n_classes=10, description='b', image_shape=(8, 8), "
    "class_names=list('0123456789'))",
    "task.augmented(shift=1, flip=True)",
    "task.batch([0, 1], rng)",
    "task.split(0.2, 0)",
    "task.subset(10, 5, seed=0)",
]
SOME = ("None", "text", "minus one", "nan", "list of None", "array of nan", "mapping", "object", "missing file")
LONG = {"epochs": {"huge"}}


@pytest.mark.parametrize("call", CALLS)
def test_hostile_arguments(call: str, names: dict[str, Any], attack: Callable[..., None]) -> None:
    attack(call, names, LONG, SOME if call.startswith("ds.train(") else None)
