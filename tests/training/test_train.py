"""Training: what it reports is what happened, the same seed gives the same bits, and impossible wishes are refused."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError, TrainingError
from dendrosim.plasticity.optimisers import SGD
from dendrosim.tasks import load
from dendrosim.training.callbacks import Callback, Record
from dendrosim.training.evaluate import evaluate
from dendrosim.training.fidelity import RecordFidelity
from dendrosim.training.train import train

from . import toy

NETWORKS = {"mlp": (toy.mlp, "exact"), "dendritic": (toy.dendritic, "per_soma")}
both = pytest.mark.parametrize("kind", NETWORKS)


def trained(kind: str, task=None, **options):
    make, teaching = NETWORKS[kind]
    given = {"epochs": 4, "batch_size": 16, "teaching": teaching, "threads": 1, **options}
    return train(make(), task or toy.task(), **given)


@both
def test_one_value_per_epoch_of_every_metric(kind):
    run = trained(kind, test_each_epoch=True)
    assert {name: values.shape for name, values in run.history.items()} == dict.fromkeys(
        [
            "train_loss",
            "train_accuracy",
            "validation_loss",
            "validation_accuracy",
            "test_loss",
            "test_accuracy",
            "seconds",
            "learning_rate",
            "passes",
        ],
        (4,),
    )
    assert run.epochs == 4
    assert run.seconds == pytest.approx(run.history["seconds"].sum())
    assert np.isfinite(np.concatenate(list(run.history.values()))).all()


@both
def test_the_same_seed_gives_the_same_bits_and_another_does_not(kind):
    first, second, other = (trained(kind, seed=seed) for seed in (3, 3, 4))
    assert toy.same(first.network.state(), second.network.state())
    assert (first.history["train_loss"] == second.history["train_loss"]).all()
    assert not toy.same(first.network.state(), other.network.state())


@both
def test_the_network_that_was_given_stays_as_it_was(kind):
    make, teaching = NETWORKS[kind]
    network = make()
    before = network.state()
    run = train(network, toy.task(), teaching=teaching, epochs=2)
    assert toy.same(network.state(), before)
    assert not toy.same(run.network.state(), before)


@both
def test_it_learns(kind):
    run = trained(kind, toy.task(600, 200), epochs=40, rates=0.01)
    assert run.history["train_loss"][-1] < 0.5 * run.history["train_loss"][0]
    assert run.test_accuracy > 0.85


@both
def test_the_reported_scores_are_those_of_the_network_that_is_returned(kind):
    task = toy.task(600, 200)
    run = trained(kind, task, epochs=12, rates=0.05, test_each_epoch=True, seed=5)
    _, kept = task.split(0.2, 5)
    best = run.best_epoch - 1
    assert run.history["validation_accuracy"][best] == run.history["validation_accuracy"].max()
    found = evaluate(run.network, task.x_train[kept], task.y_train[kept])
    assert found == (run.history["validation_loss"][best], run.history["validation_accuracy"][best])
    assert evaluate(run.network, task.x_test, task.y_test) == (run.test_loss, run.test_accuracy)
    assert run.test_accuracy == run.history["test_accuracy"][best]


def test_without_restoring_the_best_the_last_weights_are_kept():
    task = toy.task()
    run = trained("mlp", task, epochs=12, rates=0.5, restore_best=False, test_each_epoch=True)
    assert (run.test_loss, run.test_accuracy) == (run.history["test_loss"][-1], run.history["test_accuracy"][-1])


def test_without_validation_the_last_weights_are_kept():
    run = trained("mlp", validation=0, epochs=6, test_each_epoch=True)
    assert "validation_loss" not in run.history
    assert run.best_epoch == 6
    assert run.test_loss == run.history["test_loss"][-1]


def test_training_losses_are_means_over_samples_before_each_step():
    task, network = toy.task(), toy.mlp()
    run = train(network, task, teaching="exact", epochs=1, rates=0.0, validation=10)
    rows, kept = task.split(10, 0)
    assert kept.size == 10
    expected = evaluate(network, task.x_train[rows], task.y_train[rows])
    assert run.history["train_loss"][0] == pytest.approx(expected.loss, rel=1e-6)
    assert run.history["train_accuracy"][0] == expected.accuracy


def test_it_stops_when_validation_gets_no_better():
    run = trained("mlp", epochs=200, rates=0.0, patience=3)
    assert run.epochs == 4  # the first is the best, three more are no better
    assert run.config["training"]["stopped"] == "stopped early: no better validation in 3 epochs"
    assert "stopped early" in repr(run)


def test_a_schedule_scales_all_rates():
    task, network = toy.task(), toy.mlp()
    options = {"teaching": "exact", "optimiser": "sgd", "epochs": 2, "validation": 0, "batch_size": 90}
    run = train(network, task, schedule={"name": "step", "every": 1, "by": 0.5}, rates=0.2, **options)
    assert run.history["learning_rate"].tolist() == [1.0, 0.5]
    first = train(network, task, rates=0.2, **{**options, "epochs": 1})
    # the second of two full-batch steps moves along the gradient at the first one's end, at half the rate
    from dendrosim.plasticity.point import PointLearner

    values = PointLearner(first.network).gradients(task.x_train, task.y_train).values
    for name, value in values.items():
        expected = first.network.parameters[name] - 0.1 * value
        np.testing.assert_allclose(run.network.parameters[name], expected, atol=1e-6)


def test_an_optimiser_that_is_given_is_not_used_up():
    optimiser = SGD()
    runs = [trained("mlp", optimiser=optimiser) for _ in range(2)]
    assert optimiser.steps == 0
    assert toy.same(runs[0].network.state(), runs[1].network.state())


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_loss_that_is_no_number_stops_it(kind):
    options = {"optimiser": "sgd", "clip_value": None, "rates": 1e37, "epochs": 20}
    with (
        pytest.raises(TrainingError, match=r"epoch \d+, .*: the loss is (nan|inf).*Try lower rates=.*clip_norm"),
        np.errstate(all="ignore"),
    ):
        trained(kind, **options)


class Seen(Callback):
    name = "seen"

    def __init__(self, every: int = 1, last: int = 99) -> None:
        self.every, self.last, self.epochs = every, last, []

    def on_epoch(self, moment):
        self.epochs.append(moment.epoch)
        assert moment.validation.size + moment.rows.size == 90
        assert len(moment.history.get("train_loss", [])) == moment.epoch
        if moment.epoch == self.last:
            moment.stop("seen enough")


def test_callbacks_are_called_before_training_every_so_often_and_at_the_end():
    seen = Seen(every=2)
    trained("mlp", epochs=5, callbacks=[seen])
    assert seen.epochs == [0, 2, 4, 5]


def test_a_callback_may_stop_training():
    run = trained("mlp", epochs=9, callbacks=Seen(last=2))
    assert run.epochs == 2
    assert run.config["training"]["stopped"] == "seen enough"


def test_results_of_callbacks_are_kept_with_the_run():
    task = toy.task()
    record = Record(lambda m: float(np.abs(m.network.parameters["hidden_weight_0"]).max()), every=3, name="largest")
    run = trained("mlp", task, epochs=6, callbacks=[record], restore_best=False)
    assert run.records["largest"]["epoch"].tolist() == [0, 3, 6]
    assert run.records["largest"]["value"][-1] == np.abs(run.network.parameters["hidden_weight_0"]).max()


def test_fidelity_over_training():
    run = trained("dendritic", epochs=2, rule="5F", callbacks=[RecordFidelity(every=1, samples=40)])
    table = run.records["fidelity"]
    whole = table["group"] == "all"
    assert table["epoch"][whole].tolist() == [0, 1, 2]
    assert (np.abs(table["cosine"][whole]) <= 1).all()
    exact = trained("dendritic", epochs=1, teaching="exact", callbacks=[RecordFidelity()])
    table = exact.records["fidelity"]
    np.testing.assert_allclose(table["cosine"][table["group"] == "all"], 1.0, atol=1e-5)


def test_looking_does_not_change_what_happens():
    options = {"rule": "5F", "teaching": {"name": "degraded", "teaching": "per_soma", "noise": 0.1}}
    plain = trained("dendritic", **options)
    looked = trained("dendritic", callbacks=[RecordFidelity(every=1)], test_each_epoch=True, **options)
    assert toy.same(plain.network.state(), looked.network.state())


def test_gates_are_calibrated_once():
    task = toy.task()
    first = train(toy.dendritic(), task, epochs=1)
    assert first.network.calibrated
    frozen = train(first.network, task, epochs=1, rates=0.0)
    assert toy.same(frozen.network.state(), first.network.state())


def test_double_precision_stays_double():
    run = train(toy.dendritic(dtype="float64"), toy.task(), epochs=1)
    assert run.network.parameters["synapses"].dtype == np.float64
    assert train(toy.mlp(dtype="float64"), toy.task(), teaching="exact", epochs=1).test_accuracy > 0


def test_progress_is_shown_when_asked_for(capfd):
    trained("mlp", epochs=2, progress=True)
    err = capfd.readouterr().err
    assert "epoch 2/2" in err
    assert "validation 0." in err
    trained("mlp", epochs=2)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 2.5}, "epochs=2.5"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"seed": -1}, "seed=-1"),
        ({"validation": 1.0}, "validation=1.0 leaves none"),
        ({"patience": 0}, "patience=0"),
        ({"patience": 2, "validation": 0}, "patience=2 watches the validation accuracy"),
        ({"schedule": "linear"}, "schedule='linear'"),
        ({"resume": True}, "resume=True needs the file"),
        ({"callbacks": [3]}, "callback 3 must be a Callback"),
        ({"optimiser": "lion"}, "optimiser='lion' is not known; valid: 'sgd', 'momentum', 'adam', 'adamw'"),
        ({"teaching": "local_mismatch"}, "needs dendrites"),
    ],
)
def test_impossible_arguments(options, message):
    with pytest.raises(ParameterError, match=message):
        trained("mlp", **options)


@pytest.mark.parametrize(
    ("network", "task", "message"),
    [
        (None, toy.task(), "network must be a Network, such as ds.Network.dendritic"),
        (toy.mlp(), "digits", r"task must be Task, such as ds.tasks.load\('digits'\)"),
        (toy.mlp(), load("digits"), "needs a network with n_inputs=64 and n_outputs=10; this one has 8 and 3"),
    ],
)
def test_networks_and_tasks_that_do_not_go_together(network, task, message):
    with pytest.raises(ParameterError, match=message):
        train(network, task, teaching="exact")


def test_a_new_rule_for_points_is_refused():
    with pytest.raises(ParameterError, match="rule='3F'"):
        trained("mlp", rule="5F")
