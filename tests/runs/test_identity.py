"""Identities: alike for what gives the same bits, different for what may not, the same wherever they are made."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.losses.registry import LOSSES
from dendrosim.plasticity.modulators import MODULATORS
from dendrosim.plasticity.optimisers import OPTIMISERS
from dendrosim.runs import identity as module
from dendrosim.runs import schema
from dendrosim.runs.build import network_of, task_of, training_of
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.identity import code_version, configuration, data_of, identity, resolved
from dendrosim.runs.overrides import merged, parsed
from dendrosim.runs.resolved import canonical
from dendrosim.runs.shipped import shipped_experiments
from dendrosim.runs.swept import leaves
from dendrosim.teaching.registry import TEACHING
from dendrosim.training.schedules import SCHEDULES
from dendrosim.training.train import train

Table = dict[str, Any]

SHORT: Table = {
    "task": {"name": "digits"},
    "network": {"cells": [6, 4]},
    "teaching": {"name": "per_soma"},
    "rule": {"name": "5F"},
    "training": {"epochs": 1},
    "fidelity": {},
}
LONG: Table = {
    "task": {"name": "digits", "seed": 0, "n_test": 360, "subset": {}},
    "network": {
        "kind": "dendritic",
        "cells": [6, 4],
        "branching": [3, 3],
        "excitatory": [40, 40],
        "inhibitory": 20,
        "inhibitory_cells": [0, 0],
        "somatic_synapses": False,
        "integration": "shunting",
        "gates": True,
        "positive": "softplus",
        "connectivity": "topk",
        "decoder": {"name": "linear"},
        "initialisation": "fair",
        "dtype": "float32",
        "seed": 3,
    },
    "teaching": {"name": "per_soma", "scope": "tree", "hidden": "exact", "scale": 1, "replication": False},
    "rule": {
        "name": "5F",
        "eligibility": "matched",
        "rho": {"estimator": "pearson", "output": "voltage", "alpha": 0.1, "clamp": [0.1, 2], "eps": 1e-8},
        "phi": True,
    },
    "training": {
        "epochs": 1,
        "batch_size": 256,
        "validation": 0.2,
        "loss": {"name": "cross_entropy", "label_smoothing": 0},
        "optimiser": {"name": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        "rates": {"synapses": 1.5e-3, "couplings": 7e-4, "gates": 5e-4, "decoder": 1.5e-3},
        "decay": {"synapses": 0, "decoder": 0.0},
        "schedule": "constant",
        "decoder": "local",
        "clip_value": 5,
        "clip_norm": False,
        "patience": False,
        "restore_best": True,
        "test_each_epoch": False,
        "threads": 2,
    },
    "fidelity": {"every": 5, "samples": 256},
    "credit": {"every": 1, "samples": 256},
}
"""The same as `SHORT` with seed 3, all defaults spelled out as the documentation tells them."""


def configured(settings: Table, seed: int = 3, data: str = "data") -> str:
    return configuration(settings, seed, data)


def test_defaults_spelled_out_are_defaults():
    assert resolved(SHORT, 3) == resolved(LONG, 3)
    assert configured(SHORT) == configured(LONG)
    assert configured(SHORT, 4) != configured(LONG, 4)  # its network keeps seed 3


def test_an_identity_is_what_its_parts_are():
    it = identity(SHORT, 3, "data", "0.1+abc")
    assert len(it) == 32
    assert set(it) <= set("0123456789abcdef")
    others = [
        identity(SHORT, 4, "data", "0.1+abc"),
        identity(SHORT, 3, "other", "0.1+abc"),
        identity(SHORT, 3, "data", "0.1+abd"),
        identity(merged(SHORT, {"training": {"epochs": 2}}), 3, "data", "0.1+abc"),
        configured(SHORT),
    ]
    assert len({it, *others}) == 6
    assert identity(SHORT, 3, "data") == identity(SHORT, 3, "data", code_version())


CHANGES = [
    "task.name=cue_integration", "task.seed=1", "task.n_test=300", "task.subset.n_train=100", "task.augmented.shift=1",
    "network.cells=[6]", "network.cells=[6, 5]", "network.branching=[3]", "network.excitatory=8",
    "network.excitatory=[8, 9]", "network.inhibitory=[0, 20]", "network.inhibitory_cells=[0, 1]",
    "network.somatic_synapses=true", "network.integration=additive", "network.gates=false", "network.positive=exp",
    "network.connectivity=fixed", "network.initialisation=published", "network.dtype=float64", "network.seed=4",
    "network.decoder.name=mlp", "network.decoder={name='mlp', hidden=[4]}", "network.morphology.source=granule",
    "network.morphology={source='granule', max_length=20.0}", "network.morphology.source=basket",
    "teaching.name=scalar", "teaching.scope=soma", "teaching.scale=2.0", "teaching.name=exact",
    "rule.name=3F", "rule.name=4F", "rule.eligibility=conductance", "rule.rho.alpha=0.2", "rule.phi=false",
    "rule.path=compartment", "rule.path=layer", "rule.hsic.weight=0.02",
    "training.epochs=2", "training.batch_size=32", "training.validation=0.1", "training.validation=300",
    "training.loss=mse", "training.loss={name='cross_entropy', label_smoothing=0.1}", "training.optimiser=sgd",
    "training.optimiser={name='adam', beta1=0.8}", "training.optimiser.name=adamw", "training.rates=1e-3",
    "training.rates.gates=6e-4", "training.decay=0.1", "training.decay.decoder=0.1", "training.schedule=cosine",
    "training.schedule={name='cosine', warmup=2}", "training.schedule={name='step', every=2}",
    "training.decoder=exact", "training.decoder=frozen", "training.clip_value=false", "training.clip_value=1.0",
    "training.clip_norm=1.0", "training.patience=3", "training.restore_best=false", "training.test_each_epoch=true",
    "fidelity.every=2", "fidelity.samples=64", "fidelity={teaching='scalar', rule='3F'}",
    "fidelity={teaching='scalar', rule='4F'}", "credit.every=2", "credit.samples=32", "evaluation.every=1",
    "evaluation.epsilon=1e-9", "evaluation.samples=32", "task.subset.n_test=100", "task.subset={n_train=100, seed=1}",
    "task.augmented.flip=true", "network.morphology={source='granule', d_lambda=0.1}",
    "network.morphology={source='granule', d_lambda=0.1, frequency=50.0}", "network.kind=point_mlp",
]  # fmt: skip


def test_every_change_changes_it():
    made = {change: configured(merged(SHORT, parsed([change]))) for change in ("training.epochs=1", *CHANGES)}
    assert len(set(made.values())) == len(made), sorted(made, key=made.__getitem__)


def test_no_key_of_the_schema_is_forgotten():
    """Every key that an experiment file may have is among the changes that were tried."""
    tried: dict[str, set[str]] = {}
    for change in [*CHANGES, *(change for _, same, others in NETWORKS for change in (*same, *others))]:
        for key, _ in leaves(parsed([change])):
            *where, last = key.split(".")
            tried.setdefault(".".join(where), set()).add(last)
            tried.setdefault(".".join(where[:-1]), set()).add("".join(where[-1:]))
    wanted = {
        "task": {*schema.TASK, "n_test"},
        "task.subset": schema.SUBSET,
        "task.augmented": schema.AUGMENTED,
        "network": {key for kind in schema.NETWORKS.values() for key in kind},
        "network.morphology": schema.MORPHOLOGY,
        "training": set(schema.TRAINING) - {"threads"},
        "fidelity": schema.FIDELITY,
        "credit": schema.CREDIT,
        "evaluation": schema.EVALUATION,
    }
    assert {where: set(every) - tried[where] for where, every in wanted.items()} == {where: set() for where in wanted}


BASES: dict[str, Table] = {
    "point_mlp": {"task": {"name": "digits"}, "network": {"kind": "point_mlp", "hidden": 8}},
    "matching": {"task": {"name": "digits"}, "network": {"kind": "point_mlp", "n_parameters": 900}},
    "resmlp": {"task": {"name": "digits"}, "network": {"kind": "resmlp"}, "teaching": {"name": "dfa"}},
    "student": {"task": {"name": "student"}, "network": {"kind": "student"}, "teaching": {"name": "bp"}},
    "vit_mini": {"task": {"name": "digits"}, "network": {"kind": "vit_mini"}, "teaching": {"name": "bp"}},
}


NETWORKS: list[tuple[str, list[str], list[str]]] = [
    (
        "point_mlp",
        ["network.hidden=[8]", "network={activation='relu', init='uniform', density=1}", "training.rates=0.001"],
        ["network.hidden=9", "network.hidden=[8, 8]", "network.activation=tanh", "network.init=kaiming",
         "network={init='kaiming', gain=1.0}",
         "network.density=0.5", "teaching.name=exact", "training.rates.hidden=0.01"],
    ),
    ("matching", ["network.dtype=float32"], ["network.n_parameters=901", "network.hidden=8"]),
    (
        "resmlp",
        ["network={width=256, depth=4, hidden=512, block='2lin', terminal_norm=true, standardise=true}",
         "rule={name='3F', penalty=0.0}", "training.optimiser.name=adam", "teaching.scale=1.0"],
        ["network.width=128", "network.hidden=256", "network.block=3lin", "network.terminal_norm=false",
         "network.standardise=false", "rule={name='3F', penalty=0.01}", "teaching.name=bp",
         "training.rates.head=0.01"],
    ),
    ("student", ["network.width=128", "network.hidden=256"], ["network.depth=3", "task.seed=1"]),
    ("vit_mini", ["network={patch=8, heads=4}"], ["network.patch=4", "network.heads=2", "network.channels=1"]),
]  # fmt: skip


@pytest.mark.parametrize(("base", "same", "others"), NETWORKS)
def test_other_networks(base, same, others):
    it = configured(BASES[base])
    for change in same:
        assert configured(merged(BASES[base], parsed([change]))) == it, change
    made = [configured(merged(BASES[base], parsed([change]))) for change in others]
    assert len({it, *made}) == len(others) + 1


def test_the_gain_of_a_point_mlp_is_that_of_its_activation():
    base = merged(BASES["point_mlp"], parsed(["network.init=kaiming"]))
    assert configured(base) == configured(merged(base, {"network": {"gain": float(np.sqrt(2))}}))
    assert configured(base) != configured(merged(base, {"network": {"gain": 1.0}}))


REQUIRED: dict[str, Table] = {
    "exponential_family": {"family": "poisson"},
    "bregman": {"potential": "squared"},
    "scoring_rule": {"potential": "kl"},
    "low_rank": {"rank": 2},
    "degraded": {"teaching": {"name": "per_soma", "scope": "soma"}, "bits": 3},
    "apical_basal": {"apical": 2.0},
    "step": {"every": 2},
}


@pytest.mark.parametrize(
    ("section", "name"),
    [
        *(("teaching", name) for name in TEACHING),
        *(("rule", name) for name in MODULATORS),
        *(("training.loss", name) for name in LOSSES),
        *(("training.optimiser", name) for name in OPTIMISERS),
        *(("training.schedule", name) for name in SCHEDULES),
    ],
)
def test_what_is_resolved_resolves_to_itself(section, name):
    required = REQUIRED.get(name, {})
    if section == "rule":
        own: Table = {"rule": {"name": "3F", name: required or True}}
    elif section == "teaching":
        own = {"teaching": {"name": name, **required}}
    else:
        own = {"training": {section.partition(".")[2]: {"name": name, **required}}}
    base = {"task": {"name": "digits"}, "network": {"cells": [6]}}
    once = resolved(merged(base, own), 0)
    found = once
    for part in section.split("."):
        found = found[part]
    again: Table = json.loads(json.dumps(found))
    if section == "training.optimiser":
        assert again.pop("clip") == 5
    if section == "rule":
        assert again[name]
    for part in reversed(section.split(".")):
        again = {part: again}
    assert resolved(merged(base, again), 0) == once


def respelled(value: Any, rng: random.Random) -> Any:
    """The same value in another order, its numbers written in another way."""
    if isinstance(value, dict):
        return {key: respelled(value[key], rng) for key in rng.sample(sorted(value), len(value))}
    if isinstance(value, list):
        return [respelled(entry, rng) for entry in value]
    if isinstance(value, float):
        return rng.choice([value, float(f"{value:.17e}"), int(value) if value.is_integer() else value])
    return value


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_order_and_spelling_change_nothing(seed):
    assert configured(respelled(LONG, random.Random(seed))) == configured(SHORT)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.floats(1e-8, 1e3), st.floats(1e-8, 1e3))
def test_two_rates_are_one_configuration_only_if_they_are_equal(one, other):
    made = [configured(merged(SHORT, {"training": {"rates": {"gates": rate}}})) for rate in (one, other)]
    assert (made[0] == made[1]) == (one == other)


def test_plain_values():
    assert canonical({"a": (1.0, np.float32(0.5), np.int64(3)), "b": np.array([[2.0]]), "c": float("inf")}) == {
        "a": [1, 0.5, 3],
        "b": [[2]],
        "c": "inf",
    }
    assert json.dumps(canonical([True, 1.0, None, "1"])) == '[true, 1, null, "1"]'
    with pytest.raises(TypeError, match="no name and options"):
        canonical({"a": object()})


def test_every_process_makes_the_same():
    texts = [json.dumps(SHORT), json.dumps(LONG)]
    program = (
        "import json, sys\nfrom dendrosim.runs.identity import identity\n"
        "print(*[identity(json.loads(text), 3, 'data', 'code') for text in sys.argv[1:]])"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, *texts],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "77")
    ]
    found = {word for one in running for word in one.communicate(timeout=240)[0].split()}
    assert found == {identity(SHORT, 3, "data", "code")}


def test_it_is_what_training_itself_keeps(tmp_path):
    settings = merged(
        SHORT,
        parsed(
            ["task.subset={n_train=60, n_test=20}", "network={branching=[2], excitatory=4, inhibitory=2}",
             "training.optimiser=adamw", "training.schedule={name='step', every=1}", "training.decay.synapses=0.1",
             "rule.path=compartment", "credit.samples=16", "fidelity.samples=16"]
        ),
    )  # fmt: skip
    task = task_of(settings["task"])
    run = train(network_of(settings["network"], task, 3), task, **training_of(settings), seed=3, threads=1)
    it, kept = resolved(settings, 3), canonical(run.config)
    for section in ("teaching", "rule"):
        assert it[section] == kept[section]
    assert it["training"].pop("loss") == kept["loss"]
    assert sorted(it["records"]) == sorted(kept["training"].pop("callbacks"))
    for key in ("threads", "stopped"):
        kept["training"].pop(key)
    assert {"seed": it["seed"], **it["training"]} == kept["training"]
    assert data_of(settings["task"]) == kept["task"]["hash"]


def test_the_same_configuration_has_the_same_bits():
    small = parsed(["task.subset={n_train=60, n_test=20}", "network={branching=[2], excitatory=4, inhibitory=2}"])
    losses = []
    for settings in (SHORT, LONG):
        settings = merged(settings, small)
        task = task_of(settings["task"])
        run = train(network_of(settings["network"], task, 3), task, **training_of(settings), seed=3)
        losses.append((run.test_loss, run.network.parameters["synapses"].tobytes()))
    assert losses[0] == losses[1]


def test_a_cell_is_what_its_file_holds(tmp_path):
    copied = tmp_path / "mine.swc"
    copied.write_bytes((ds.morphology.shipped.find_source("granule")).read_bytes())
    shipped = merged(SHORT, parsed(["network.morphology.source=granule"]))
    mine = merged(SHORT, {"network": {"morphology": {"source": str(copied)}}})
    assert configured(shipped) == configured(mine)
    assert configured(merged(mine, parsed(["network.branching=[2]"]))) == configured(mine)  # there is a tree already
    copied.write_bytes(copied.read_bytes() + b"# more\n")
    assert configured(shipped) != configured(mine)


def test_data_are_loaded_once(monkeypatch):
    loaded = []
    monkeypatch.setattr(module, "task_of", lambda settings: loaded.append(settings) or task_of(settings))
    module._data.cache_clear()
    settings = [{"name": "digits", "seed": seed} for seed in (0, 1, 2)]
    hashes = [[data_of(one) for one in settings] for _ in range(2)]
    assert hashes[0] == hashes[1] == [ds.tasks.load("digits", seed).hash for seed in (0, 1, 2)]
    assert len(loaded) == 3


def test_the_version_of_the_code_is_of_what_computes(tmp_path, monkeypatch):
    files = {
        "kernels/a.py": "x = 1\n",
        "training/b.py": "y = 2\n",
        "runs/build.py": "",
        "cli.py": "",
        "plotting/c.py": "",
    }

    def version(**changes: str) -> str:
        for name, text in {**files, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        code_version.cache_clear()
        return code_version()

    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    try:
        first = version()
        assert first.startswith(f"{ds.__version__}+")
        assert len(first.rpartition("+")[2]) == 12
        assert version(**{"cli.py": "z", "plotting/c.py": "z"}) == first
        assert version(**{"kernels/a.py": "x = 1\r\n"}) == first
        changed = [version(**{name: "z = 3\n"}) for name in ("kernels/a.py", "training/b.py", "runs/build.py")]
        (tmp_path / "kernels/new.py").touch()
        assert len({first, version(), *changed}) == 5
    finally:
        code_version.cache_clear()


@pytest.mark.parametrize("name", sorted(shipped_experiments()))
def test_arms_of_shipped_experiments_are_different_runs(name):
    arms = Experiment.load(name).arms
    assert len({configured(arm.settings) for arm in arms}) == len(arms)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("task.name=digit", "task"),
        ("task.n_tests=3", "task 'digits' has no option 'n_tests'; its options: n_test"),
        ("teaching.scop=soma", "scop"),
        ("rule.name=6F", "6F"),
        ("training.optimiser=adan", "adan"),
        ("training.rates.synapse=0.1", "synapse"),
        ("training.schedule=cosin", "cosin"),
        ("training.loss=crossentropy", "crossentropy"),
        ("network.decoder={name='mlp', hidden=[0]}", "positive whole number"),
        ("fidelity={teaching='scalar'}", "give both"),
        ("network.kind=mlp", "mlp"),
    ],
)
def test_what_is_impossible_has_no_identity(change, message):
    with pytest.raises(ParameterError, match=message):
        configured(merged(SHORT, parsed([change])))
