"""What users hang into the loop: called before training and after epochs, may look, record and stop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number, several, short
from ..errors import ParameterError

if TYPE_CHECKING:
    from ..tasks.task import Task

Array = NDArray[Any]


@dataclass
class Moment:
    """The state of a training, as a callback sees it.

    Attributes
    ----------
    epoch : int
        Epochs done; 0 before any.
    epochs : int
        Epochs asked for.
    learner : BaseLearner
        ``learner.network`` is the network; look, do not touch.
    task : Task
    rows : int array
        Rows of ``task.x_train`` that are learned from.
    validation : int array of shape (n,)
        Rows that are validated on.
    history : dict of lists
        Metrics of the epochs so far.
    stopped : str
        Why training is to stop after this epoch; empty if it is not.
    """

    epoch: int
    epochs: int
    learner: Any
    task: Task
    rows: NDArray[np.int64]
    validation: NDArray[np.int64]
    history: dict[str, list[float]]
    stopped: str = field(default="", init=False)

    @property
    def network(self) -> Any:
        """The network as it is now."""
        return self.learner.network

    def stop(self, reason: str = "a callback asked for it") -> None:
        """End training after this epoch for a `reason`; metrics, best weights and test are as usual."""
        self.stopped = reason


class Callback(ABC):
    """Called before training (epoch 0), after every `every`-th epoch and after the last.

    Attributes
    ----------
    name : str
        Under which its results are kept in `Run.records`; two callbacks of a training may not share one.
    every : int
    """

    name: str = "callback"
    every: int = 1

    @abstractmethod
    def on_epoch(self, moment: Moment) -> None:
        """Look at a moment; ``moment.stop(reason)`` ends training."""

    def results(self) -> dict[str, Array]:
        """Arrays to be kept with the run; also what a checkpoint keeps, unless `state` says otherwise."""
        return {}

    def state(self) -> dict[str, Array]:
        """What an exact resume needs."""
        return self.results()

    def restore(self, state: Mapping[str, Array]) -> None:  # noqa: B027
        """Go back to what `state` returned."""


class Record(Callback):
    """Keeps what a function returns.

    Parameters
    ----------
    function : callable
        Of a `Moment`; returns a number, or a dict of numbers (the same keys every time).
    every : int, default 1
        Epochs between calls.
    name : str, default "record"

    Examples
    --------
    >>> slopes = Record(lambda moment: float(moment.network.slope.mean()), every=5, name="slope")
    """

    def __init__(self, function: Callable[[Moment], Any], every: int = 1, name: str = "record") -> None:
        if not callable(function):
            raise ParameterError(f"function={short(function)} must be a function of a Moment")
        self.function, self.name = function, name
        self.every = int(number("every", every, least=1))
        self._rows: dict[str, list[float]] = {"epoch": []}

    def on_epoch(self, moment: Moment) -> None:
        value = self.function(moment)
        row = dict(value) if isinstance(value, Mapping) else {"value": value}
        row = {key: float(number(f"{self.name}: {key}", entry)) for key, entry in row.items()}
        known = set(self._rows) - {"epoch"}
        if known and set(row) != known:
            raise ParameterError(
                f"{self.name} returned {sorted(row)}, and {sorted(known)} before; keys must not change"
            )
        for key, entry in {"epoch": float(moment.epoch), **row}.items():
            self._rows.setdefault(key, []).append(entry)

    def results(self) -> dict[str, Array]:
        return {key: np.array(values) for key, values in self._rows.items()}

    def restore(self, state: Mapping[str, Array]) -> None:
        self._rows = {key: values.tolist() for key, values in state.items()}


def checked(callbacks: Any) -> tuple[Callback, ...]:
    """Callbacks as a tuple, or an error that says what is wrong."""
    hint = "a Callback, or a list of them"
    given = (callbacks,) if isinstance(callbacks, Callback) else tuple(several("callbacks", callbacks, hint))
    for one in given:
        if not isinstance(one, Callback):
            raise ParameterError(
                f"callback {short(one)} must be a Callback, such as ds.training.Record(function, every=5)"
            )
    names = [one.name for one in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"two callbacks are called {twice[0]!r}; give each a name of its own")
    return given
