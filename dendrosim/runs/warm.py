"""Before many runs begin: every kind of computation once, so that kernels are compiled by one process per machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import DendrosimError, ParameterError, TrainingError, WorkersError
from ..kernels.parallel import at_most
from ..training.callbacks import Callback, Moment
from ..training.train import train
from .build import network_of, task_of, training_of
from .executors import Workers
from .perform import Order, in_a_line, see_that_it_is

_BATCHES, _CHUNK = 2, 1024
"""Whole minibatches to learn from, and samples to validate and test on, besides what is left over at the end."""
_FOLLOWED = ("fidelity", "credit", "evaluation")
_SIZES = ("batch_size", "validation", "samples", "n_train", "n_test")
"""Numbers that kernels know: how many samples they take at once depends on how many there are."""


def kind(settings: Mapping[str, Any]) -> str:
    """What a computation is like: settings that differ in numbers alone are of one kind, unless they are of samples.

    Zero is told from other numbers, since it often switches something off, and lists of different lengths are told
    apart, since a layer more may be a kernel more.
    """
    return json.dumps(_without_numbers(settings), sort_keys=True)


def kinds(orders: Iterable[Order]) -> list[Order]:
    """The first order of each kind."""
    found: dict[str, Order] = {}
    known: dict[int, None] = {}  # runs of an arm share their settings
    for order in orders:
        settings = order.job.arm.settings
        if id(settings) not in known:
            known[id(settings)] = None
            found.setdefault(kind(settings), order)
    return list(found.values())


def warm_up(crew: Workers, tasters: list[Order]) -> None:
    """Let every machine compile for these orders, one process of each at first.

    Raises
    ------
    DendrosimError
        As `warm` does, on whatever machine.
    WorkersError
        If a worker cannot even begin.
    """
    try:
        crew.once_per_machine(warm, tasters)
    except DendrosimError:
        raise
    except Exception as error:
        if crew.deaths(error) is None:
            raise WorkersError(
                f"a worker cannot do what it is asked to ({in_a_line(error)}); has it the same dendrosim?"
            ) from error
        # who dies over a little of a run dies over the run, which is then recorded


def warm(orders: list[Order]) -> None:
    """Train a little of each order and forget it; kernels that this compiles are found by every later process.

    A training that fails is left to fail again as the run that it is.

    Parameters
    ----------
    orders : list of Order
        As `kinds` gives them.

    Raises
    ------
    ParameterError
        If an arm is impossible; names it.
    DendrosimError
        If this machine lacks something, or would compute another run.
    """
    for order in orders:
        try:
            with at_most(order.threads):
                _taste(order)
        except ParameterError as error:
            raise ParameterError(f"arm {order.job.arm.name!r}: {error}") from error
        except TrainingError:
            continue
        except DendrosimError:
            raise
        except Exception:  # recorded with its traceback by the run itself
            continue


def _taste(order: Order) -> None:
    settings, seed = dict(order.job.arm.settings), order.job.seed
    task = task_of(settings["task"])
    if order.identity:
        see_that_it_is(order, task)
    network = network_of(settings["network"], task, seed)
    for section in _FOLLOWED:
        if section in settings:
            settings[section] = settings[section] | {"every": 1}
    options = training_of(settings)
    if order.threads is not None:
        options["threads"] = order.threads
    rows, kept = task.split(options.get("validation", 0.2), seed)
    batch = options.get("batch_size", 256)
    samples = [int(settings[section].get("samples", _CHUNK)) for section in _FOLLOWED if section in settings]
    n_rows = _fewer(rows.size, batch, max([_BATCHES * batch, *samples]))
    options["validation"] = _fewer(kept.size, _CHUNK, _CHUNK)
    few = task.subset(n_rows + options["validation"], _fewer(len(task.x_test), _CHUNK, max([_CHUNK, *samples])))
    options["callbacks"] = [*options.get("callbacks", ()), _Enough()]
    train(network, few, **options, seed=seed, progress=False)


def _fewer(n: int, step: int, least: int) -> int:
    """A number of samples of which the same is left over when they are taken in steps; `least` or more if there are."""
    return min(n, -(-least // step) * step + n % step)


class _Enough(Callback):
    """Ends a training after its first epoch; one with fewer epochs would have another schedule."""

    name = "enough"

    def on_epoch(self, moment: Moment) -> None:
        if moment.epoch:
            moment.stop()


def _without_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): entry if key in _SIZES else _without_numbers(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_numbers(entry) for entry in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ["number", value == 0]
    return value
