"""Tasks by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..arguments import whole
from ..errors import ParameterError, choose
from .cifar import cifar10, cifar100
from .context_gating import context_gating
from .cue_integration import cue_integration
from .digits import digits
from .figure_ground import figure_ground_mnist
from .hierarchical import hierarchical
from .images import fashion_mnist, mnist
from .info_shunting import info_shunting
from .noise_lines import noise_lines
from .noise_subspace import noise_subspace_mnist
from .student import student
from .task import Task

# Every function takes the seed, and its options by keyword: (seed, *, option=default, ...) -> Task.
TASKS: dict[str, Callable[..., Task]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "figure_ground_mnist": figure_ground_mnist,
    "context_gating": context_gating,
    "noise_lines": noise_lines,
    "noise_subspace_mnist": noise_subspace_mnist,
    "info_shunting": info_shunting,
    "hierarchical": hierarchical,
    "cue_integration": cue_integration,
    "student": student,
}

# Names of published runs that cannot be taken over, and what to say.
REFUSED = {
    "noise_resilience": "published runs had two tasks of that name: 'noise_lines' (blank, row or column in Gaussian "
    "noise, 3 classes) and 'noise_subspace_mnist' (MNIST in noise from a fixed subspace, 10 classes); say which",
    "hierarchical_processing": "it is 'hierarchical' here",
}


def names() -> list[str]:
    """Names of all tasks that `load` knows, sorted.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import dendrosim as ds
    >>> "digits" in ds.tasks.names()
    True
    """
    return sorted(TASKS)


def load(name: str, seed: int = 0, **options: Any) -> Task:
    """Load or generate a task.

    Parameters
    ----------
    name : str
        One of `names`. ``"digits"`` and the synthetic tasks need no files; image sets are looked for below
        ``DENDROSIM_DATA`` and else downloaded.
    seed : int, default 0
        Of everything that is drawn; same seed, same bits. Data sets with an official order and test set draw nothing.
    **options
        Options of that task; the guide lists them.

    Returns
    -------
    Task

    Raises
    ------
    ParameterError
        If there is no such task or option; the message lists those that are.
    DataError
        If files are missing, damaged or cannot be downloaded.

    Examples
    --------
    >>> import dendrosim as ds
    >>> ds.tasks.load("digits")
    Task('digits': 1437 + 360 samples, 64 inputs, 10 classes)
    """
    if isinstance(name, str) and name in REFUSED:
        raise ParameterError(f"task {name!r} is not known: {REFUSED[name]}")
    make = TASKS[choose("task", name, names())]
    defaults = {p.name: p.default for p in inspect.signature(make).parameters.values() if p.kind is p.KEYWORD_ONLY}
    unknown = sorted(set(options) - set(defaults))
    if unknown:
        valid = ", ".join(f"{key}={value!r}" for key, value in defaults.items()) or "none"
        raise ParameterError(f"task {name!r} has no option {unknown[0]!r}; its options, with defaults: {valid}")
    whole("seed", seed, 0)
    return make(seed, **options)._changed(options={**defaults, **options})
