"""Runs that the reproduction ledger needs, from a store, from other folders, or made now, and what they come to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType

from ..diagnostics.intervals import Interval, mean_interval, paired_difference
from ..errors import DendrosimError, ParameterError
from ..training.run import Run
from .conduct import Step, Tally, conduct
from .experiment import Experiment
from .identity import configuration
from .ledger import Entry, Item, Ledger, Preset
from .ledger_evidence import Evidence
from .ledger_measures import described
from .ledger_rows import ZERO_TOO, Row
from .ledger_verdict import LEVEL, Verdict, judge, judge_magnitude
from .loading import load
from .store import Store
from .sweep import Sweep

Also = Mapping[str, Mapping[str, Sequence[str]]]
Others = Mapping[str, Run]
Report = Callable[[str, Step], None]


class Need:
    """What the chosen items need of one experiment.

    Parameters
    ----------
    name : str
        Of the experiment.
    arms : sequence of str
        Those that have to be trained.
    preset : Preset or None
        None if the preset leaves it out.

    Attributes
    ----------
    experiment : Experiment
        As its file says, without what the preset changes.
    error : str
        Why its runs cannot be known: data that are not there. Found when `sweep` is asked for.

    Raises
    ------
    ParameterError
        If there is no such experiment or arm.
    """

    def __init__(self, name: str, arms: Sequence[str], preset: Preset | None) -> None:
        self.preset, self.error = preset, ""
        self.experiment = Experiment.load(name)
        self._wanted = self.experiment
        if preset is not None and preset.settings:
            self._wanted = Experiment.load(name, settings=preset.settings)
        self._arms = list(arms)
        self.n_runs = 0
        if arms:
            jobs = self._wanted.jobs(seeds=preset.seeds if preset else None, arms=self._arms)
            self.n_runs = len(jobs) if preset else 0

    @cached_property
    def sweep(self) -> Sweep | None:
        """Its runs, with their identities; loads the data. None if none are needed, or there is an `error`."""
        if self.preset is None or not self.n_runs:
            return None
        try:
            return Sweep.of(self._wanted, self.preset.seeds, self._arms)
        except DendrosimError as error:
            self.error = str(error)
            return None


class Reproduction:
    """Items of the ledger under a preset.

    Parameters
    ----------
    ledger : Ledger
    names : sequence of str
        Items or papers; all without any.
    preset : {"quick", "full"}
    also : mapping, optional
        Arms by experiment by item that are needed besides those of entries, as figures need them.

    Attributes
    ----------
    items : tuple of Item
    needs : dict of Need
        By name of the experiment.

    Raises
    ------
    ParameterError
        If there is no such item or preset, or an entry names an arm that its experiment does not have.
    """

    def __init__(self, ledger: Ledger, names: Sequence[str] = (), preset: str = "quick", also: Also | None = None):
        self.preset = preset
        self.items = ledger.chosen(names)
        self.needs: dict[str, Need] = {}
        trained: dict[str, dict[str, None]] = {}
        for item in self.items:
            for entry in item.entries:
                arms = trained.setdefault(entry.experiment, {})
                if entry.measure.trained:
                    arms.update(dict.fromkeys((*entry.arms, *entry.minus)))
            for experiment, more in (also or {}).get(item.name, {}).items():
                trained.setdefault(experiment, {}).update(dict.fromkeys(more))
            for experiment in {entry.experiment for entry in item.entries}:
                asked = ledger.preset(preset, experiment)
                if asked is not None and trained[experiment]:
                    trained[experiment].update(dict.fromkeys(asked.listed.get(item.file, ())))
        for name, arms in trained.items():
            self.needs[name] = Need(name, list(arms), ledger.preset(preset, name))

    def conduct(
        self,
        store: Store,
        *,
        executor: Executor,
        others: Others = MappingProxyType({}),
        threads: int | None = None,
        report: Report | None = None,
    ) -> list[Tally]:
        """Train what is neither in the store nor among other runs, experiment by experiment.

        Failed runs are tried again.

        Parameters
        ----------
        store : Store
        executor : concurrent.futures.Executor
        others : mapping of Run
            As for `evidence`.
        threads : int, optional
            Of each run.
        report : callable, optional
            Called with the name of the experiment and how far it is.
        """
        tallies = []
        for name, need in self.needs.items():
            points = [point for point in need.sweep or () if point.configuration not in others]
            if points and need.sweep is not None:
                sweep = Sweep(need.sweep.name, need.sweep.description, tuple(points))
                tallies.append(
                    conduct(
                        sweep,
                        store,
                        executor=executor,
                        resume=True,
                        retry_failed=True,
                        threads=threads,
                        report=None if report is None else partial(report, name),
                    )
                )
                if tallies[-1].why:
                    break
        return tallies

    def evidence(self, store: Store | None = None, others: Others = MappingProxyType({})) -> dict[str, Evidence]:
        """What is there, by name of the experiment.

        Parameters
        ----------
        store : Store, optional
        others : mapping of Run
            By configuration, as `runs_elsewhere` gives them: they stand in for those that the store does not have.
        """
        finished = store.finished() if store is not None else set()
        found = {}
        for name, need in self.needs.items():
            runs: dict[str, dict[int, Run]] = {}
            for point in need.sweep or ():
                run = None
                if store is not None and point.identity in finished:
                    run = Run.load(store.path(point.identity), network=False)
                elif point.configuration in others:
                    run = others[point.configuration]
                if run is not None:
                    for arm in point.names:
                        runs.setdefault(arm, {})[point.seed] = run
            settings = {arm.name: arm.settings for arm in need.experiment.arms}
            found[name] = Evidence(name, settings, need.experiment.seeds, runs)
        return found

    def rows(self, evidence: Mapping[str, Evidence]) -> list[Row]:
        """Every entry of the chosen items with its verdict."""
        return [self._row(item, entry, evidence[entry.experiment]) for item in self.items for entry in item.entries]

    def _row(self, item: Item, entry: Entry, evidence: Evidence) -> Row:
        need = self.needs[entry.experiment]
        shortened = need.preset is not None and not entry.comparable(need.preset)
        reason, values = "its experiment cannot be run here" if need.error else "", {}
        try:
            values = measured(entry, evidence)
        except DendrosimError as error:
            reason = f"not measured: {error}"
        ours, verdict, why = judged(entry, [values[seed] for seed in sorted(values)], shortened)
        if ours is None and not reason and need.preset is None and entry.measure.trained:
            reason = f"not part of the preset {self.preset}"
        runs = _used(entry, evidence, values)
        nan = float("nan")
        return Row(
            paper=item.paper,
            item=item.name,
            place=item.place,
            title=item.title,
            entry=entry.name,
            what=entry.what,
            published=entry.published.shown,
            published_n="" if entry.published.n is None else str(entry.published.n),
            mean=ours.mean if ours else nan,
            low=ours.low if ours else nan,
            high=ours.high if ours else nan,
            sd=ours.sd if ours else nan,
            n=ours.n if ours else 0,
            seeds=spans(sorted(values)),
            core_seconds=sum(cost(run) for run in runs),
            verdict=verdict,
            reason=why or reason,
            confound=entry.confound,
            fair=entry.fair,
            source=entry.source,
            experiment=entry.experiment,
            arms="; ".join(entry.arms),
            minus="; ".join(entry.minus),
            measure=described(entry.measure),
            preset=self.preset,
            shortened=", ".join(need.preset.settings) if need.preset and entry.measure.trained else "",
            code="; ".join(sorted({code_of(run) for run in runs})),
            command=f"dendrosim reproduce {item.name} --preset {self.preset}",
        )


def judged(entry: Entry, values: Sequence[float], shortened: bool) -> tuple[Interval | None, Verdict, str]:
    """Our mean over seeds and the verdict; None without values."""
    verdict: Verdict
    ours: Interval | None
    if values and entry.factor is not None:
        ours, verdict, why = judge_magnitude(
            entry.published, values, factor=entry.factor, confound=entry.confound, shortened=shortened
        )
    else:
        ours = mean_interval(values, level=LEVEL) if values else None
        verdict, why = judge(entry.published, ours, within=entry.within, confound=entry.confound, shortened=shortened)
        agrees = verdict in (Verdict.REPRODUCED, Verdict.CONFOUNDED)
        if entry.minus and ours is not None and agrees and not entry.published.sign and ours.low <= 0.0 <= ours.high:
            why += f"; {ZERO_TOO}"
    if verdict is Verdict.NOT and entry.shorter:
        verdict = Verdict.SHORTENED  # a longer training may yet agree
    return ours, verdict, why


def measured(entry: Entry, evidence: Evidence) -> dict[int, float]:
    """The number of an entry by seed: the mean over its arms, less that over those that are taken away."""
    mine, others = _mean(entry, evidence, entry.arms), _mean(entry, evidence, entry.minus)
    if not entry.minus:
        return mine
    seeds = sorted(mine.keys() & others.keys())
    if not seeds:
        return {}
    pairs = paired_difference([mine[seed] for seed in seeds], [others[seed] for seed in seeds])
    return dict(zip(seeds, pairs.values.tolist(), strict=True))


def _mean(entry: Entry, evidence: Evidence, arms: Sequence[str]) -> dict[int, float]:
    """Over arms, of the seeds that all of them have."""
    tables = [entry.measure.values(evidence, arm) for arm in arms]
    seeds = set.intersection(*(set(table) for table in tables)) if tables else set()
    return {seed: sum(table[seed] for table in tables) / len(tables) for seed in seeds}


def _used(entry: Entry, evidence: Evidence, seeds: Iterable[int]) -> list[Run]:
    if not entry.measure.trained:
        return []
    found = {}
    for arm in (*entry.arms, *entry.minus):
        for seed in seeds:
            run = evidence.of(arm).get(seed)
            if run is not None:
                found[id(run)] = run
    return list(found.values())


def cost(run: Run) -> float:
    """Core seconds of a training: its duration times its threads (one where it does not say how many)."""
    return run.seconds * int(run.config["training"].get("threads") or 1)


def code_of(run: Run) -> str:
    """The version that computed a run."""
    return str(run.config.get("experiment", {}).get("code") or run.config.get("versions", {}).get("dendrosim", "?"))


def spans(seeds: Sequence[int]) -> str:
    """Seeds in a few characters: ``0-4, 7``."""
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def runs_elsewhere(folders: Iterable[str | os.PathLike[str]]) -> dict[str, Run]:
    """Finished runs in folders or stores by their configuration (settings, seed and data), of whatever version.

    Runs that no settings are recorded of, or settings that this version does not know, are passed over.

    Raises
    ------
    ParameterError
        If a folder does not exist or holds no runs.
    FileFormatError
        If a file is damaged; names it.
    """
    found: dict[str, Run] = {}
    for folder in folders:
        for run in load(Path(folder)):
            settings = run.config.get("experiment", {}).get("settings")
            if settings:
                try:
                    found.setdefault(configuration(settings, run.seed, run.config["task"]["hash"]), run)
                except ParameterError:
                    continue
    return found
