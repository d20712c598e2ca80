"""The evaluation protocol over training, and runs that are audited afterwards."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import EvaluationHistory, audit, loss_change
from dendrosim.errors import ParameterError
from dendrosim.networks import PointMLP, ResMLP
from dendrosim.tasks import standardisation
from dendrosim.training import KeepTeaching, RecordEvaluation, auditable
from dendrosim.training.checkpoint import Checkpoint
from dendrosim.training.schedules import Cosine

RECIPE = {
    "optimiser": "adamw", "schedule": {"name": "cosine", "per": "epoch"}, "batch_size": 64, "validation": 0,
    "restore_best": False, "clip_value": None, "threads": 1, "progress": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def task():
    return ds.tasks.load("student", n_inputs=10, n_classes=4, n_train=300, n_test=120)


def residual(task, **options):
    center, scale = standardisation(task)
    return ResMLP(10, 4, 16, 3, center=center, scale=scale, **options)


def train(task, teaching, hooks=(), network=None, epochs=3, **options):
    made = residual(task) if network is None else network
    return ds.train(made, task, teaching=teaching, epochs=epochs, callbacks=list(hooks), **RECIPE, **options)


@pytest.mark.parametrize("teaching", ["bp", "fa", "dfa", "state_bridge", "credit_bridge"])
def test_the_last_record_is_what_an_audit_of_the_stored_run_finds(teaching, task, tmp_path):
    hooks = [RecordEvaluation(samples=80), KeepTeaching()]
    rule = {"name": "3F", "penalty": 1e-2} if "bridge" in teaching else "3F"
    train(task, teaching, hooks, rule=rule).save(tmp_path / "run.h5")
    run = ds.Run.load(tmp_path / "run.h5")
    report = audit(auditable(run), task.x_test, task.y_test, frozen=0.2, samples=80)
    history = EvaluationHistory(run.records["evaluation"])
    assert history.epochs.tolist() == [0, 1, 2, 3]
    assert history.accuracy[-1] == float(report.accuracy) == run.test_accuracy
    for definition in ("paper", "corrected"):
        assert history.gamma(definition)[-1] == pytest.approx(report.gamma[definition], abs=1e-6)
        assert history.deep(definition)[-1] == pytest.approx(report.deep[definition], abs=1e-6)
        assert history.reference(definition)[-1] == pytest.approx(report.reference[definition], rel=1e-5)
        assert history.verdicts(0.2, definition=definition)[-1] == report.verdicts[definition]
    assert history.rho[-1] == pytest.approx(report.rho["paper"], rel=1e-6)
    assert history.series("activity", 3)[-1] == pytest.approx(report.table["activity"][3], rel=1e-6)
    assert history.verdicts()[0].failed is None
    assert "Evaluation over training, N = 80" in str(history)


def test_fixed_feedback_is_drawn_again_from_the_seed_and_what_was_learned_is_asked_for(task):
    run = train(task, "dfa", [KeepTeaching("elsewhere")], seed=4)
    drawn = auditable(run).learner.teaching.state()
    for name, value in drawn.items():
        np.testing.assert_array_equal(value, run.records["elsewhere"][f"teaching:{name}"])
    with pytest.raises(ParameterError, match=r"KeepTeaching\(\)"):
        auditable(train(task, "state_bridge", epochs=1))


def test_what_was_learned_has_to_be_of_the_epoch_of_the_weights(task):
    recipe = {**RECIPE, "validation": 0.3, "restore_best": True, "epochs": 3, "callbacks": [KeepTeaching()]}
    learned, drawn = (ds.train(residual(task), task, teaching=name, **recipe) for name in ("state_bridge", "dfa"))
    for run in (learned, drawn):
        run.best_epoch = 2
    with pytest.raises(ParameterError, match=r"epoch 3, and the weights are those of epoch 2; .*restore_best=False"):
        auditable(learned)
    assert auditable(drawn).learner.teaching.state().keys()
    learned.best_epoch = 3
    assert auditable(learned).learner.teaching.state().keys()


def test_looking_changes_no_bit_of_the_training(task):
    plain, watched = (train(task, "state_bridge", hooks) for hooks in ([], [RecordEvaluation(samples=40)]))
    for name, value in plain.network.parameters.items():
        np.testing.assert_array_equal(value, watched.network.parameters[name])


@pytest.mark.parametrize("teaching", ["bp", "dfa", "credit_bridge"])
def test_an_interrupted_training_goes_on_with_the_same_bits(teaching, task, tmp_path, monkeypatch):
    from dendrosim.plasticity.residual import ResidualLearner

    whole = train(task, teaching, [RecordEvaluation(samples=40)])
    step, done = ResidualLearner.advance, []

    def counted(self, x, y):
        done.append(1)
        if len(done) == 8:
            raise KeyboardInterrupt
        return step(self, x, y)

    monkeypatch.setattr(ResidualLearner, "advance", counted)
    checkpoint = Checkpoint(tmp_path / "c.h5", epochs=1)
    with pytest.raises(KeyboardInterrupt):
        train(task, teaching, [RecordEvaluation(samples=40)], checkpoint=checkpoint)
    again = train(task, teaching, [RecordEvaluation(samples=40)], checkpoint=checkpoint, resume=True)
    for name, value in whole.network.parameters.items():
        np.testing.assert_array_equal(value, again.network.parameters[name])
    for name, value in whole.records["evaluation"].items():
        np.testing.assert_array_equal(value, again.records["evaluation"][name])


def test_dendritic_networks_are_followed_too(task, tmp_path):
    network = ds.Network.dendritic(10, 4, cells=[5], branching=[2, 2], excitatory=4, inhibitory=2)
    options = {"epochs": 2, "batch_size": 64, "threads": 1, "progress": False, "restore_best": False}
    hooks = [RecordEvaluation(samples=50), KeepTeaching()]
    ds.train(network, task, teaching="dfa", callbacks=hooks, **options).save(tmp_path / "run.h5")
    run = ds.Run.load(tmp_path / "run.h5")
    history = EvaluationHistory(run.records["evaluation"])
    report = audit(auditable(run), task.x_test, task.y_test, frozen=0.1, samples=50)
    assert history.depth == 2
    np.testing.assert_allclose(report.gamma["corrected"], history.gamma("corrected")[-1], atol=1e-6)
    network = PointMLP(10, 4, [8, 6])
    ds.train(network, task, teaching="dfa", callbacks=[RecordEvaluation()], **options)


def test_frozen_dendrites_are_followed_and_audited_like_all_others(task):
    network = ds.Network.dendritic(10, 4, cells=[5], branching=[2, 2], excitatory=4, inhibitory=2)
    hooks = [RecordEvaluation(samples=50)]
    run = ds.train(network, task, teaching="decoder_only", callbacks=hooks, epochs=1, threads=1, progress=False)
    history = EvaluationHistory(run.records["evaluation"])
    np.testing.assert_array_equal(history.series("activity")[0], history.series("activity")[-1])
    assert auditable(run).stages[0] == "layer1/stage 2"


def test_expected_shapes_of_training(task):
    """Inequalities only: the stream grows under local losses, and a penalty contains it; the loss falls."""
    runs = {
        name: train(task, teaching, [RecordEvaluation(samples=120, every=100)], epochs=15, rates=1e-2, rule=rule)
        for name, teaching, rule in (
            ("bp", "bp", "3F"), ("dfa", "dfa", "3F"), ("penalty", "dfa", {"name": "3F", "penalty": 1e-2}),
        )
    }  # fmt: skip
    last = {name: EvaluationHistory(run.records["evaluation"]).series("activity", 3)[-1] for name, run in runs.items()}
    assert last["dfa"] > 2 * last["bp"]
    assert last["dfa"] > 2 * last["penalty"]
    assert all(loss_change(run.history["train_loss"]) < 0 for run in runs.values())


def test_cosine_per_epoch():
    plan = Cosine(per="epoch")
    assert plan.factor(2.9, 4) == plan.factor(2.0, 4) == pytest.approx(0.5)
    assert plan.factor(0.5, 4) == 1.0
    with pytest.raises(ParameterError, match="'batch', 'epoch'"):
        Cosine(per="step")


def test_histories_that_are_none(task):
    columns = train(task, "bp", [RecordEvaluation(samples=20)], epochs=1).records["evaluation"]
    with pytest.raises(ParameterError, match="column 'layer' is missing"):
        EvaluationHistory({k: v for k, v in columns.items() if k != "layer"})
    with pytest.raises(ParameterError, match="differ in length"):
        EvaluationHistory({**columns, "loss": columns["loss"][:3]})
    history = EvaluationHistory(columns)
    with pytest.raises(ParameterError, match="layer=9 does not exist"):
        history.series("activity", 9)
    with pytest.raises(ParameterError, match="'paper', 'corrected'"):
        history.deep("mine")
