"""Sweeps: all runs that a file asks for, each with its identity, none twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..arguments import whole
from ..errors import ParameterError
from ..shown import Shown
from .experiment import Arm, Experiment, Job
from .identity import configuration_of, data_of, identity_of
from .resolved import seeded, unseeded


@dataclass(frozen=True)
class Point:
    """One run of a sweep.

    Attributes
    ----------
    arm : Arm
    seed : int
    identity : str
        Of settings, seed, data and code.
    configuration : str
        The same without the code.
    names : tuple of str
        Names of all arms that come to this run, that of `arm` first.
    """

    arm: Arm
    seed: int
    identity: str
    configuration: str = ""
    names: tuple[str, ...] = ()

    @property
    def job(self) -> Job:
        """What has to be done."""
        return Job(self.arm, self.seed)


@dataclass(frozen=True)
class Sweep(Shown):
    """All runs that a file asks for.

    Attributes
    ----------
    name : str
    description : str
    points : tuple of Point
        Seed by seed, in the order of the file; no identity twice.
    n_duplicates : int
        How many runs were asked for more than once, under other names.
    """

    name: str
    description: str
    points: tuple[Point, ...] = field(repr=False)
    n_duplicates: int = 0

    @classmethod
    def load(
        cls,
        source: str | Path,
        settings: Iterable[str] = (),
        seeds: Sequence[int] | None = None,
        arms: Sequence[str] | None = None,
    ) -> Sweep:
        """Read and check a file, and find out which runs it asks for.

        Loads every task once, for the hash of its data.

        Parameters
        ----------
        source : str or Path
            A TOML file, or the name of a shipped one.
        settings : iterable of str
            ``key=value`` texts that are laid over every arm.
        seeds : sequence of int, optional
            Instead of those of the file.
        arms : sequence of str, optional
            Only these: names of arms, with or without what is swept.

        Raises
        ------
        ParameterError
            If something in the file is not known or impossible; says where.
        """
        return cls.of(Experiment.load(source, settings=settings), seeds, arms)

    @classmethod
    def of(cls, experiment: Experiment, seeds: Sequence[int] | None = None, arms: Sequence[str] | None = None) -> Sweep:
        """The runs of an `experiment`, of all or these `seeds` and `arms`; see `load`."""
        names: dict[str, list[str]] = {}
        first: dict[str, tuple[Job, str]] = {}
        jobs = experiment.jobs(seeds=seeds, arms=arms)
        common = {arm.number: _common(arm) for arm in {job.arm.number: job.arm for job in jobs}.values()}
        for job in jobs:
            settings, data = common[job.arm.number]
            configured = configuration_of(seeded(settings, job.seed), data)
            which = identity_of(configured)
            first.setdefault(which, (job, configured))
            names.setdefault(which, []).append(job.arm.name)
        points = tuple(
            Point(job.arm, job.seed, which, configured, tuple(names[which]))
            for which, (job, configured) in first.items()
        )
        return cls(experiment.name, experiment.description, points, len(jobs) - len(points))

    def part(self, number: int, parts: int) -> Sweep:
        """One of several parts, which are disjoint, of nearly the same size, and together the whole.

        A run belongs to a part by its identity alone, so that clients that know nothing of one another can divide a
        sweep, and divide it in the same way after a restart.

        Parameters
        ----------
        number : int
            1, 2, ..., `parts`.
        parts : int

        Returns
        -------
        Sweep

        Raises
        ------
        ParameterError
            If there is no such part.
        """
        if whole("number", number) > whole("parts", parts):
            raise ParameterError(f"there is no part {number} of {parts}; valid: 1 to {parts}")
        return replace(self, points=tuple(one for one in self.points if int(one.identity, 16) % parts == number - 1))

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)


def _common(arm: Arm) -> tuple[dict[str, Any], str]:
    """What the runs of an arm share: resolved settings, and the hash of the data."""
    try:
        return unseeded(arm.settings), data_of(arm.settings["task"])
    except ParameterError as error:
        raise ParameterError(f"arm {arm.name!r}: {error}") from error
