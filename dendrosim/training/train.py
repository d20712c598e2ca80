"""Train a network on a task."""

from __future__ import annotations

import copy
import os
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import flag, instance, whole
from ..errors import ParameterError
from ..networks.network import Network
from ..tasks.seeds import stream
from ..tasks.task import Task
from . import config
from .batches import Batches
from .callbacks import Callback
from .callbacks import checked as callbacks_checked
from .checkpoint import Checkpoint, read_checkpoint, start_over
from .checkpoint import checkpoint as checkpoint_given
from .credit import RecordCredit
from .kinds import described, kind_of
from .loop import Loop, Plan
from .run import Run
from .schedules import Schedule
from .schedules import schedule as schedule_named

if TYPE_CHECKING:
    from ..losses import Loss
    from ..networks.mlp import PointMLP
    from ..networks.neurons import Neurons
    from ..networks.residual import ResidualNetwork
    from ..plasticity.optimisers import Optimiser
    from ..plasticity.rules import Rule
    from ..teaching import Teaching

_CALIBRATION = 1024
"""Training samples that gates are set from."""


def train(
    network: Network | PointMLP | Neurons | ResidualNetwork,
    task: Task,
    *,
    teaching: str | Teaching | Mapping[str, Any] = "per_soma",
    rule: str | Rule | Mapping[str, Any] = "3F",
    loss: str | Loss | Mapping[str, Any] = "cross_entropy",
    epochs: int = 20,
    seed: int = 0,
    batch_size: int = 256,
    validation: float | int = 0.2,
    optimiser: str | Optimiser = "adam",
    rates: dict[str, float] | float | None = None,
    decay: Mapping[str, float] | float = 0.0,
    schedule: str | Schedule | Mapping[str, Any] = "constant",
    decoder: str = "local",
    clip_value: float | None = 5.0,
    clip_norm: float | None = None,
    patience: int | None = None,
    restore_best: bool = True,
    test_each_epoch: bool = False,
    callbacks: Callback | Iterable[Callback] = (),
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    resume: bool = False,
    threads: int | None = None,
) -> Run:
    """Train a copy of a network; the one given stays as it was.

    Gates and couplings of a fairly initialised network that was never trained are set from a training batch first
    (`Network.calibrate`).

    Parameters
    ----------
    network : Network, PointMLP, Neurons or ResidualNetwork
    task : Task
        From `dendrosim.tasks.load` or `Task.from_arrays`.
    teaching : str, Teaching or mapping, default "per_soma"
        What compartments are told about the loss.
    rule : str, Rule or mapping, default "3F"
        How they learn from it.
    loss : str, Loss or mapping, default "cross_entropy"
        Of `dendrosim.losses`; classes stand for one-hot vectors where a loss takes values.
    epochs : int, default 20
    seed : int, default 0
        Of the split, the order of samples, random feedback and noise; each draws from a generator of its own. The
        network's weights come from its own seed.
    batch_size : int, default 256
        The last batch of an epoch has what is left.
    validation : float or int, default 0.2
        Training samples kept back to validate on: a fraction below 1, or a number; 0 for none.
    optimiser : {"adam", "adamw", "sgd", "momentum"} or Optimiser, default "adam"
    rates : dict or float, optional
        Learning rates of ``synapses``, ``couplings``, ``gates`` and ``decoder`` (of ``hidden`` and ``decoder`` for a
        point MLP, of ``embedding``, ``blocks`` and ``head`` for a residual network); those of the published runs by
        default.
    decay : dict or float, default 0.0
        Decoupled weight decay of the same groups: a step shrinks raw parameters by rate * decay.
    schedule : {"constant", "cosine", "step"}, Schedule or mapping, default "constant"
        A factor on all rates over the epochs.
    decoder : {"local", "exact", "frozen"}, default "local"
    clip_value, clip_norm : float or None, default 5.0 and None
        Bounds on every value of a gradient, and on the Euclidean norm of all of them. An Optimiser that is given as an
        object has the first of its own.
    patience : int, optional
        Stop when validation has not become better for so many epochs.
    restore_best : bool, default True
        End with the weights of the epoch with the best validation accuracy; without validation with the last.
    test_each_epoch : bool, default False
        Test after every epoch too, for the record alone.
    callbacks : sequence of Callback, default ()
        Such as ``ds.training.RecordFidelity(every=5)``. A `RecordCredit` comes with every teaching signal that
        estimates, unless a callback of that name, "credit", is given.
    progress : bool, optional
        Show a progress bar; by default on a terminal and in a notebook.
    checkpoint : str, Path or Checkpoint, optional
        File that keeps the state of the training, written every 30 s unless a `Checkpoint` says otherwise.
    resume : bool, default False
        Go on from the checkpoint, if it exists, with the same bits as if there had been no interruption.
    threads : int, optional
        All processors by default.

    Returns
    -------
    Run
        History, test accuracy, the trained network and the configuration.

    Raises
    ------
    ParameterError
        If arguments are impossible or do not go together.
    TrainingError
        If the loss is no number any more, or the checkpoint belongs to another training.

    Examples
    --------
    >>> import dendrosim as ds
    >>> task = ds.tasks.load("digits")
    >>> network = ds.Network.dendritic(64, 10, cells=[20], branching=[3], excitatory=16, inhibitory=8)
    >>> run = ds.train(network, task, teaching="per_soma", epochs=5, batch_size=32)
    >>> run.history["validation_accuracy"].shape
    (5,)
    """
    kind = kind_of(network)
    instance("task", task, Task, "such as ds.tasks.load('digits')")
    _suits(network, task)
    epochs, batch_size = whole("epochs", epochs, 1), whole("batch_size", batch_size, 1)
    whole("seed", seed, 0)
    if patience is not None:
        whole("patience", patience, 1)
    restore_best, test_each_epoch = flag("restore_best", restore_best), flag("test_each_epoch", test_each_epoch)
    resume, progress = flag("resume", resume), None if progress is None else flag("progress", progress)
    rows, kept = task.split(validation, seed)
    if patience is not None and not kept.size:
        raise ParameterError(f"patience={patience} watches the validation accuracy; keep samples back, validation=0.2")
    hooks, saved, rate = callbacks_checked(callbacks), checkpoint_given(checkpoint), schedule_named(schedule)
    if resume and saved is None:
        raise ParameterError("resume=True needs the file to go on from; give checkpoint='...'")
    before = described(network)
    network = network.copy()
    x = network.checked(task.x_train)
    if isinstance(network, Network) and network.initialisation == "fair" and not network.calibrated:
        chosen = stream(seed, "calibration").permutation(rows.size)[:_CALIBRATION]
        network.calibrate(x[rows[np.sort(chosen)]])
    learner = kind.learner(
        network,
        teaching=teaching,
        rule=rule,
        optimiser=copy.deepcopy(optimiser),
        rates=rates,
        loss=loss,
        decay=decay,
        decoder=decoder,
        clip_value=clip_value,
        clip_norm=clip_norm,
        seed=np.random.SeedSequence(seed, spawn_key=(zlib.crc32(b"learner"),)),
        threads=threads,
    )
    if learner.teaching.estimates and all(one.name != "credit" for one in hooks):
        hooks = (*hooks, RecordCredit())
    training = {
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch_size,
        "validation": validation,
        "optimiser": config.named(learner.optimiser),
        "rates": learner.rates,
        "decay": learner.decay,
        "schedule": config.named(rate),
        "decoder": decoder,
        "clip_norm": clip_norm,
        "patience": patience,
        "restore_best": restore_best,
        "test_each_epoch": test_each_epoch,
        "callbacks": [one.name for one in hooks],
        "threads": threads,
    }
    settings = config.plain(
        {
            "task": config.of_task(task),
            "network": before,
            "teaching": config.of_teaching(learner.teaching),
            "rule": config.of_rule(learner.rule),
            "loss": config.named(learner.loss),
            "training": training,
        }
    )
    plan = Plan(
        task=task,
        rows=rows,
        validation=kept,
        epochs=epochs,
        schedule=rate,
        patience=patience,
        restore_best=restore_best,
        test_each_epoch=test_each_epoch,
        callbacks=hooks,
        checkpoint=saved,
        progress=progress,
        config=config.shared(settings, rate),
    )
    loop = Loop(plan, learner, Batches(task, x, rows, batch_size, seed))
    if saved is not None and resume and saved.file.exists():
        loop.restore(read_checkpoint(saved.file, plan.config))
    elif saved is not None:
        start_over(saved.file)
    loop.run()
    score = loop.test()
    settings["training"]["stopped"] = loop.stopped
    return Run(
        history={name: np.array(values) for name, values in loop.history.items()},
        test_accuracy=score.accuracy,
        test_loss=score.loss,
        best_epoch=loop.best_epoch,
        config={**settings, **config.provenance()},
        records={one.name: found for one in hooks if (found := one.results())},
        trained=network,
    )


def _suits(network: Network | PointMLP | Neurons | ResidualNetwork, task: Task) -> None:
    """Raise unless the network has an input for every input of the task and an output for every class."""
    if network.n_inputs != task.n_inputs or network.n_outputs < task.n_classes:
        raise ParameterError(
            f"{task!r} needs a network with n_inputs={task.n_inputs} and n_outputs={task.n_classes}; this one has "
            f"{network.n_inputs} and {network.n_outputs}"
        )
