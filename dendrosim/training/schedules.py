"""Learning rates over training: one factor on the rates of all groups."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ..arguments import number, short
from ..construct import call_of, construct
from ..errors import ParameterError, choose


class Schedule(ABC):
    """A factor on all learning rates.

    Attributes
    ----------
    needs_end : bool
        Whether it depends on the number of epochs; a finished run cannot be continued for more epochs then.
    """

    name: ClassVar[str]
    needs_end: ClassVar[bool] = False

    @abstractmethod
    def factor(self, epoch: float, epochs: int) -> float:
        """The factor after `epoch` epochs, whole and parts, of `epochs`."""

    def __repr__(self) -> str:
        return call_of(self)


class Constant(Schedule):
    """The rates as they are."""

    name = "constant"

    def factor(self, epoch: float, epochs: int) -> float:
        return 1.0


class Cosine(Schedule):
    """Half a cosine from 1 down to `floor` at the end (Loshchilov & Hutter 2017, without restarts).

    Parameters
    ----------
    floor : float, default 0.0
        Factor at the end.
    warmup : float, default 0.0
        Epochs in which the factor rises linearly from 0 to 1 before.
    per : {"batch", "epoch"}, default "batch"
        Whether it falls with every batch, or once per epoch, as where a scheduler is stepped after each.
    """

    name = "cosine"
    needs_end = True

    def __init__(self, floor: float = 0.0, warmup: float = 0.0, per: str = "batch") -> None:
        self.floor = number("floor", floor, least=0.0, most=1.0)
        self.warmup = number("warmup", warmup, least=0.0)
        self.per = choose("per", per, ["batch", "epoch"])

    def factor(self, epoch: float, epochs: int) -> float:
        if self.per == "epoch":
            epoch = math.floor(epoch)
        if epoch < self.warmup:
            return epoch / self.warmup
        share = (epoch - self.warmup) / max(epochs - self.warmup, 1e-9)
        return self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))


class Step(Schedule):
    """Times `by` after every `every` epochs.

    Parameters
    ----------
    every : int
        Epochs between steps.
    by : float, default 0.1
    """

    name = "step"

    def __init__(self, every: int, by: float = 0.1) -> None:
        self.every, self.by = int(number("every", every, least=1)), number("by", by, above=0.0)

    def factor(self, epoch: float, epochs: int) -> float:
        return self.by ** int(epoch // self.every)


SCHEDULES: dict[str, type[Schedule]] = {kind.name: kind for kind in (Constant, Cosine, Step)}


def schedule(given: str | Schedule | Mapping[str, Any]) -> Schedule:
    """A schedule from a name, an object, or the table of an experiment file: ``{"name": "step", "every": 30}``.

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.
    """
    if isinstance(given, Schedule):
        return given
    if isinstance(given, Mapping):
        options = dict(given)
        if "name" not in options:
            raise ParameterError(f"the table of a schedule needs 'name', one of {', '.join(map(repr, SCHEDULES))}")
        return construct("schedule", SCHEDULES, options.pop("name"), options)
    if not isinstance(given, str):
        raise ParameterError(f"schedule={short(given)} must be a name ({', '.join(SCHEDULES)}), a Schedule or a table")
    return construct("schedule", SCHEDULES, given, {})
