"""Runs of the online learner as a whole: rewards, files, resuming, refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.plasticity.session import OnlineRun, Session

from ..teaching.neuron_cases import batch, neurons


def cell(n_outputs: int | None = None) -> ds.Neurons:
    tree = ds.Compartments([-1, 0, 0], leak=5.0, coupling=20.0, capacitance=60.0, leak_reversal=-70.0)
    synapses = ds.Synapses(tree, [1, 1, 2, 2], range(4), sign=1, conductance=1.0)
    return ds.Neurons(tree, synapses, n_outputs, readout="soma" if n_outputs is None else "linear")


def test_a_loss_of_the_present_falls_while_the_simulation_runs():
    model = cell()
    learner = ds.OnlineLearner(model, "exact", rates=1.0)
    run = learner.run(np.array([[0.5, 0.0, 0.5, 0.0]]), np.array([[1.5]]), duration=600.0)
    assert run.updates == run.time.size == 600
    assert run.loss[-1, 0] < 0.01 * run.loss[100, 0]
    assert run.network is model
    np.testing.assert_array_equal(run.conductance[-1], model.synapses.conductance)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_expected_credit_of_a_reward_is_the_gradient_of_the_expected_reward(n_outputs):
    """REINFORCE is unbiased: the mean over actions, weighted by the policy, against finite differences."""
    model = cell(n_outputs)
    x = np.array([[0.5, 0.1, 0.3, 0.0]])
    worth = np.array([0.3, 1.2])
    options = {"tau_e": 1.0, "deliveries": ds.Deliveries(times=[300.0]), "kinetics": "instantaneous"}

    def policy() -> np.ndarray:
        o = model.predict(x)[0]
        p = 1 / (1 + np.exp(-o[0])) if n_outputs == 1 else 1 / (1 + np.exp(o[0] - o[1]))
        return np.array([1 - p, p])

    learner = ds.OnlineLearner(model, "exact", **options)
    seen = {}
    while len(seen) < 2:
        run = learner.run(x, duration=300.0, reward=lambda actions, k: worth[actions], learn=False)
        seen[int(run.action[0, 0])] = run
        assert run.reward[0, 0] == worth[run.action[0, 0]]
    p = policy()
    raw = model.parameters["synapses"]
    expected = sum(p[a] * seen[a].gradient["synapses"] for a in (0, 1))
    for i in range(raw.size):
        kept, both = raw[i], []
        for step in (1e-4, -1e-4):
            raw[i] = kept + step
            model.refresh()
            both.append(float(policy() @ worth))
        raw[i] = kept
        assert -expected[i] == pytest.approx((both[0] - both[1]) / 2e-4, rel=1e-5, abs=1e-12)


def test_a_reward_teaches_which_action_is_right():
    model = cell(2)
    x = np.array([[0.8, 0.0, 0.2, 0.0], [0.0, 0.8, 0.0, 0.2]])
    right = np.array([0, 1])
    learner = ds.OnlineLearner(
        model, "dfa", deliveries=ds.Deliveries(every=20.0, delay=10.0), rates=0.02, optimiser="adam", seed=2
    )
    run = learner.run(x, duration=8000.0, reward=lambda actions, k: (actions == right).astype(float))
    assert run.reward[-60:].mean() > 0.9 > run.reward[:20].mean()


def test_feedback_weights_are_told_of_rewards_sample_by_sample():
    """With rewards of one sample alone, what `kp` asks of its weights is what that sample asks."""
    x = np.array([[0.8, 0.0, 0.2, 0.0], [0.0, 0.8, 0.0, 0.2]])
    moved = []
    for worth in ([1.0, 0.0], [0.0, 1.0], [1.0, 1.0]):
        learner = ds.OnlineLearner(cell(2), "kp", deliveries=ds.Deliveries(times=[50.0]), rates=1.0, seed=3)
        before = learner.teaching.state()["feedback"].copy()
        learner.run(x, duration=50.0, reward=lambda actions, k, worth=worth: worth)
        moved.append(learner.teaching.state()["feedback"] - before)
    np.testing.assert_allclose(moved[0] + moved[1], moved[2], rtol=1e-12)
    assert np.abs(moved[0]).max() > 0


CASES = {
    "adam, delay": {"teaching": "dfa", "optimiser": "adam", "deliveries": {"every": 2.0, "delay": 7.0}},
    "kernel": {"teaching": "sbd", "deliveries": {"every": 2.0, "delay": 3.0, "kernel": ds.Alpha(4.0)}},
    "perturbed": {"teaching": {"name": "vnc", "inject": "current"}, "tau_e": "membrane"},
    "reward": {"teaching": "kp", "deliveries": {"every": 2.0, "delay": 5.0}},
    "recurrent spikes": {
        "teaching": "per_soma",
        "read": "spikes",
        "mechanisms": ds.AdaptiveIntegrateAndFire(),
        "connections": ds.Connections([0, 1], [5, 4], delay=1.5),
        "tau_e": "membrane",
        "deliveries": {"every": 2.0, "delay": 3.0, "kernel": ds.Exponential(4.0)},
    },
}


def learner_of(case: str) -> tuple[ds.OnlineLearner, dict]:
    options = dict(CASES[case])
    deliveries = ds.Deliveries(**options.pop("deliveries", {}))
    model = neurons("cell directed" if case == "perturbed" else "two cells, couplings")
    learner = ds.OnlineLearner(model, options.pop("teaching"), deliveries=deliveries, rates=1e-3, **options)
    x, y = batch()
    if case == "recurrent spikes":
        x = ds.Spikes.poisson(np.full((5, 6), 300.0), 60.0, seed=4)
    if case == "reward":
        return learner, {"inputs": x, "reward": lambda actions, k: (actions == y).astype(float)}
    return learner, {"inputs": x, "targets": np.random.default_rng(3).standard_normal((5, 3))}


@pytest.mark.parametrize("case", CASES)
def test_an_interrupted_run_goes_on_bit_for_bit(case, tmp_path, monkeypatch):
    learner, told = learner_of(case)
    whole = learner.run(duration=60.0, **told)
    again, told = learner_of(case)
    calls: list[int] = []
    go = Session.go

    def stop(self, until):
        calls.append(until)
        if len(calls) == 4:
            go(self, until - 30)  # in the middle of a block
            raise KeyboardInterrupt
        return go(self, until)

    monkeypatch.setattr(Session, "go", stop)
    with pytest.raises(KeyboardInterrupt):
        again.run(duration=60.0, store=tmp_path / "run.h5", block=10.0, **told)
    monkeypatch.undo()
    partial = OnlineRun.load(tmp_path / "run.h5")
    np.testing.assert_array_equal(partial.output, whole.output[: len(partial.output)])
    assert partial.time[-1] == partial.conductance_time[-1] == 30.0
    third, told = learner_of(case)
    resumed = third.run(duration=60.0, store=tmp_path / "run.h5", block=10.0, resume=True, **told)
    for name in ("output", "loss", "time"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name))
    for key, value in whole.network.parameters.items():
        np.testing.assert_array_equal(resumed.network.parameters[key], value)
        np.testing.assert_array_equal(resumed.gradient[key], whole.gradient[key])
    np.testing.assert_array_equal(resumed.final.voltage, whole.final.voltage)
    np.testing.assert_array_equal(resumed.spike_time, whole.spike_time)
    assert (whole.spike_time.size > 0) == (case == "recurrent spikes")
    loaded = OnlineRun.load(tmp_path / "run.h5")
    np.testing.assert_array_equal(loaded.loss, whole.loss)
    np.testing.assert_array_equal(loaded.conductance[-1], whole.network.synapses.conductance)


SCRIPT = """
import os, sys
import numpy as np
import dendrosim as ds
tree = ds.Compartments([-1, 0, 0], leak=5.0, coupling=20.0, capacitance=60.0, leak_reversal=-70.0)
model = ds.Neurons(tree, ds.Synapses(tree, [1, 1, 2, 2], range(4), sign=1, conductance=1.0), 2)
learner = ds.OnlineLearner(model, "dfa", rates=1e-2)
def reward(actions, k):
    if k == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return (actions == 1).astype(float)
run = learner.run(np.full((2, 4), 0.3), reward=reward, duration=200.0, store=sys.argv[1], block=20.0, resume=True)
np.savez(sys.argv[3], output=run.output, synapses=model.parameters["synapses"])
"""


def test_a_killed_process_loses_at_most_a_block(tmp_path):
    def call(store: str, kill: int, out: str) -> int:
        arguments = [sys.executable, "-c", SCRIPT, tmp_path / store, str(kill), tmp_path / out]
        return subprocess.run(arguments, check=False, cwd=Path(ds.__file__).parents[1]).returncode

    assert call("killed.h5", 107, "none.npz") == -9
    partial = OnlineRun.load(tmp_path / "killed.h5")
    assert partial.time[-1] == 100.0
    assert partial.reward.shape == (100, 2)
    assert call("killed.h5", -1, "resumed.npz") == 0
    assert call("whole.h5", -1, "whole.npz") == 0
    with np.load(tmp_path / "resumed.npz") as one, np.load(tmp_path / "whole.npz") as other:
        for name in other:
            np.testing.assert_array_equal(one[name], other[name])


def test_files_of_other_runs_are_not_gone_on_with(tmp_path):
    x, y = np.full((1, 4), 0.3), np.ones((1, 1))
    file = tmp_path / "run.h5"
    ds.OnlineLearner(cell()).run(x, y, duration=5.0, store=file)
    with pytest.raises(ParameterError, match="exists"):
        ds.OnlineLearner(cell()).run(x, y, duration=5.0, store=file)
    with pytest.raises(ParameterError, match="another run"):
        ds.OnlineLearner(cell(), tau_e=3.0).run(x, y, duration=5.0, store=file, resume=True)
    with pytest.raises(ParameterError, match="another run"):
        ds.OnlineLearner(cell()).run(x, 2 * y, duration=5.0, store=file, resume=True)
    (tmp_path / "run.h5.state").unlink()
    with pytest.raises(FileFormatError, match="missing"):
        ds.OnlineLearner(cell()).run(x, y, duration=5.0, store=file, resume=True)
    with pytest.raises(ParameterError, match="give store="):
        ds.OnlineLearner(cell()).run(x, y, duration=5.0, resume=True)


REFUSALS = {
    "nothing to learn from": {},
    "different ways": {"targets": np.ones((1, 1)), "modulator": np.ones((5, 1))},
    r"targets has shape \(3, 3\)": {"targets": np.ones((3, 3))},
    r"modulator has shape \(4, 1\)": {"modulator": np.ones((4, 1))},
    "reward= must be a function": {"reward": 1.0},
    "the reward of tick 0": {"reward": lambda actions, k: np.ones(3)},
}


@pytest.mark.parametrize("message", REFUSALS)
def test_what_cannot_be_learned_from_is_refused(message):
    with pytest.raises(ParameterError, match=message):
        ds.OnlineLearner(cell()).run(np.full((1, 4), 0.3), duration=5.0, **REFUSALS[message])


def test_impossible_options_are_refused():
    for value, message in (("somatic", "'membrane'"), (-1.0, "tau_e=-1.0"), (np.nan, "tau_e")):
        with pytest.raises(ParameterError, match=message):
            ds.OnlineLearner(cell(), tau_e=value)
    with pytest.raises(ParameterError, match="deliveries must be Deliveries"):
        ds.OnlineLearner(cell(), deliveries=1.0)
    for options, message in (
        ({"every": 1.0, "times": [2.0]}, "give one of them"),
        ({"times": [2.0, 1.0]}, "ascending"),
        ({"times": [0.0]}, "positive"),
        ({"every": 0.0}, "every=0.0"),
        ({"delay": -1.0}, "delay=-1.0"),
        ({"kernel": "instantaneous"}, "no duration"),
        ({"kernel": "square"}, "exponential"),
        ({"update": 1.0}, "about a kernel"),
    ):
        with pytest.raises(ParameterError, match=message):
            ds.Deliveries(**options)
    with pytest.raises(ParameterError, match="surrogate=None"):
        ds.OnlineLearner(cell(), surrogate=None)
    for options, message in (
        ({"every": 0.25}, "every: 0.25 ms"),
        ({"times": [9.0]}, "make it longer"),
        ({"every": 6.0}, "nothing that is told arrives"),
        ({"times": [4.0], "delay": 2.0}, "nothing that is told arrives"),
    ):
        learner = ds.OnlineLearner(cell(), deliveries=ds.Deliveries(**options))
        with pytest.raises(ParameterError, match=message):
            learner.run(np.full((1, 4), 0.3), np.ones((1, 1)), duration=5.0)


@pytest.mark.parametrize("other", ["block", "scale", "reference", "coupling", "clip_value"])
def test_a_file_of_a_run_that_differs_is_refused(tmp_path, other):
    def run(resume: bool) -> None:
        here = other if resume else ""
        tree = ds.Compartments([-1, 0], leak=5.0, coupling=30.0 if here == "coupling" else 20.0, capacitance=60.0)
        synapses = ds.Synapses(tree, [1], sign=1, conductance=1.0)
        model = ds.Neurons(tree, synapses, readout="soma", scale=3.0 if here == "scale" else 2.0,
                           reference=4.0 if here == "reference" else 2.0)  # fmt: skip
        learner = ds.OnlineLearner(model, clip_value=1.0 if here == "clip_value" else 5.0)
        options = {"store": tmp_path / "run.h5", "block": 2.0 if here == "block" else 5.0, "resume": resume}
        learner.run(np.ones((1, 1)), np.ones((1, 1)), duration=10.0, **options)

    run(False)
    with pytest.raises(ParameterError, match="is of another run"):
        run(True)


def test_results_do_not_depend_on_threads():
    x, y = np.random.default_rng(1).random((20, 6)), np.random.default_rng(2).standard_normal((20, 3))
    runs = []
    for threads in (1, 2):
        learner = ds.OnlineLearner(neurons("cell"), "exact", rates=1e-2, threads=threads)
        runs.append(learner.run(x, y, duration=10.0))
    np.testing.assert_array_equal(runs[0].output, runs[1].output)
    np.testing.assert_array_equal(runs[0].conductance, runs[1].conductance)
