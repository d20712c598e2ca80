"""Experiment files: what is trained on what, in several arms and with several seeds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..arguments import names, several, short
from ..errors import ParameterError
from .bases import read
from .overrides import merged, parsed
from .schema import SECTIONS, TOP, check, keys, of_kind, unknown
from .swept import combinations, label

Table = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """One of the conditions that an experiment compares.

    Attributes
    ----------
    name : str
        Its own name, the values of what is crossed, and the place in what is listed or drawn, such as
        ``"scalar, additive, draw 3"``.
    number : int
        Place in the experiment.
    own : str
        Its name without what is swept.
    factors : dict
        Values of what is crossed, listed and drawn, by dotted key.
    settings : dict
        All sections, everything laid over.
    ways : dict
        Where the factors come from: ``"cross"``, ``"list"``, or the distribution that they were drawn from.
    """

    name: str
    number: int
    own: str
    factors: Mapping[str, Any]
    settings: Mapping[str, Any]
    ways: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Its name as that of a folder."""
        return re.sub(r"[^\w.=+-]+", "-", self.name).strip("-.") or "arm"

    @property
    def values(self) -> str:
        """Listed and drawn values, which its name does not tell; empty if there are none."""
        told = f"{self.name},"
        hidden = {key: value for key, value in self.factors.items() if f", {label(value)}," not in told}
        return ", ".join(f"{key} = {short(value)}" for key, value in hidden.items())


@dataclass(frozen=True)
class Job:
    """One training: an arm with a seed."""

    arm: Arm
    seed: int

    @property
    def file(self) -> str:
        """Where its run belongs, below the folder of the experiment."""
        return f"{self.arm.folder}/seed-{self.seed}.h5"


@dataclass(frozen=True)
class Experiment:
    """What an experiment file says.

    Attributes
    ----------
    name : str
    description : str
    seeds : tuple of int
    arms : tuple of Arm
        At least one.
    """

    name: str
    description: str
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...] = field(repr=False)

    @classmethod
    def load(cls, source: str | Path, *, settings: Iterable[str] = ()) -> Experiment:
        """Read and check an experiment file.

        Parameters
        ----------
        source : str or Path
            A TOML file, or the name of a shipped one.
        settings : iterable of str
            ``key=value`` texts that are laid over every arm.

        Raises
        ------
        ParameterError
            If there is no such file, or something in it is not known or of the wrong kind; says where.
        """
        path, content = read(source)
        try:
            return cls.from_table(path.stem, content, parsed(names("settings", settings)))
        except ParameterError as error:
            raise ParameterError(f"{path}: {error}") from error

    @classmethod
    def from_table(cls, name: str, content: Mapping[str, Any], over: Mapping[str, Any] | None = None) -> Experiment:
        """The experiment that the content of a file describes, `over` laid over every arm."""
        over = dict(over or {})
        if "experiment" in content:
            raise ParameterError("experiment names the file below a file; load the file, or give all sections here")
        for table in (content, over):
            keys("top level", table, TOP)
        for key in ("experiment", "arms", "cross", "list"):
            if key in over:
                raise ParameterError(f"{key} cannot be set from outside; choose among arms with --arms")
        content = {**content, **({"draw": merged(content.get("draw", {}), over["draw"])} if "draw" in over else {})}
        base = {key: content[key] for key in SECTIONS if key in content}
        last = {key: over[key] for key in SECTIONS if key in over}
        every = combinations(content, last)
        arms: list[Arm] = []
        for own, table in _arms(name, content.get("arms", [])):
            for point in every:
                settings = merged(point.over(merged(base, table)), last)
                full = ", ".join([own, *point.labels])
                try:
                    check(settings)
                except ParameterError as error:
                    raise ParameterError(f"{error}; in arm {full!r}") from None
                arms.append(Arm(full, len(arms), own, point.factors, settings, point.ways))
        folders = Counter(arm.folder.lower() for arm in arms)
        twice = [arm.name for arm in arms if folders[arm.folder.lower()] > 1]
        if twice:
            raise ParameterError(f"arms {' and '.join(map(repr, twice[:2]))} would share a folder; rename one")
        seeds = over.get("seeds", content.get("seeds", [0]))
        return cls(name, content.get("description", ""), seeds_checked(seeds), tuple(arms))

    def jobs(self, *, seeds: Sequence[int] | None = None, arms: Sequence[str] | None = None) -> list[Job]:
        """All trainings, seed by seed.

        Parameters
        ----------
        seeds : sequence of int, optional
            Instead of those of the file.
        arms : sequence of str, optional
            Only these: names of arms, with or without what is crossed.

        Raises
        ------
        ParameterError
            If there is no such arm.
        """
        chosen = list(self.arms)
        if arms is not None:
            known = dict.fromkeys([*(arm.own for arm in self.arms), *(arm.name for arm in self.arms)])
            for name in names("arms", arms):
                if name not in known:
                    raise unknown("--arms", name, known)
            chosen = [arm for arm in self.arms if arm.own in arms or arm.name in arms]
        every = self.seeds if seeds is None else seeds_checked(several("seeds", seeds, "a list of whole numbers"))
        return [Job(arm, seed) for seed in every for arm in chosen]


def seeds_checked(seeds: Any) -> tuple[int, ...]:
    """Seeds as a tuple, or an error."""
    of_kind("seeds", seeds, TOP["seeds"])
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ParameterError(f"seeds = {short(seeds)} must be different whole numbers, 0 or more, at least one")
    return tuple(seeds)


def _arms(name: str, tables: Sequence[Table]) -> Iterator[tuple[str, Table]]:
    """Names and settings of the arms; without any, the experiment itself is the only one."""
    if not tables:
        yield name, {}
    for i, table in enumerate(tables):
        own = table.get("name")
        if not isinstance(own, str) or not own.strip():
            raise ParameterError(f"arm {i + 1} has no name; give it one, name = '...'")
        settings = {key: value for key, value in table.items() if key != "name"}
        keys(f"arm {own!r}", settings, {key: TOP[key] for key in SECTIONS})
        yield own, settings
