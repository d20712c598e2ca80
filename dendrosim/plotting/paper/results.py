"""What a figure of the local-credit paper draws: our values with intervals, and the published ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval, mean_interval, paired_difference
from ...errors import ParameterError
from ...runs.ledger import Item
from ...runs.ledger_evidence import Evidence
from ...runs.ledger_measures import measure
from ...runs.ledger_verdict import Published
from ...training.run import Run

Measured = str | Mapping[str, Any]
"""A measure of the ledger: its name, or a table with a name and options."""
CORES = ("shunting", "additive")


class Results:
    """Runs and published values of one figure.

    Parameters
    ----------
    item : Item
        Of the ledger; its entries hold the published values.
    evidence : mapping of Evidence
        By name of the experiment.

    Attributes
    ----------
    asked, absent : dict of sets of str
        Arms by name of the experiment: those that were asked for, and those of them without a finished run.
    """

    def __init__(self, item: Item, evidence: Mapping[str, Evidence]) -> None:
        self.item, self._evidence = item, evidence
        self._entries = {entry.name: entry for entry in item.entries}
        self._values: dict[tuple[str, str, str], dict[int, float]] = {}
        self.asked: dict[str, set[str]] = {}
        self.absent: dict[str, set[str]] = {}

    def runs(self, experiment: str, arm: str) -> list[Run]:
        """Finished runs of an arm, by seed."""
        found = self._evidence[experiment].of(arm)
        self._note(experiment, arm, bool(found))
        return [found[seed] for seed in sorted(found)]

    def values(self, experiment: str, arm: str, what: Measured = "test_accuracy") -> dict[int, float]:
        """One number per seed."""
        key = (experiment, arm, str(what))
        if key not in self._values:
            evidence = self._evidence[experiment]
            known = arm in evidence.settings
            self._values[key] = measure(what).values(evidence, arm) if known else {}
        self._note(experiment, arm, bool(self._values[key]))
        return self._values[key]

    def _note(self, experiment: str, arm: str, there: bool) -> None:
        self.asked.setdefault(experiment, set()).add(arm)
        if not there:
            self.absent.setdefault(experiment, set()).add(arm)

    def interval(self, experiment: str, arm: str, what: Measured = "test_accuracy") -> Interval | None:
        """Mean over seeds with its interval; None without runs."""
        values = self.values(experiment, arm, what)
        return mean_interval(list(values.values())) if values else None

    def difference(
        self, experiment: str, first: str | Sequence[str], second: str | Sequence[str], what: Measured = "test_accuracy"
    ) -> Interval | None:
        """First minus second, seed by seed; of several arms the means. None without a seed that all have."""
        arms = [[one] if isinstance(one, str) else list(one) for one in (first, second)]
        values = [[self.values(experiment, arm, what) for arm in group] for group in arms]
        every = [one for group in values for one in group]
        seeds = sorted(set.intersection(*(set(one) for one in every)))
        if not seeds:
            return None
        means = [[sum(one[seed] for one in group) / len(group) for seed in seeds] for group in values]
        return paired_difference(*means)

    def published(self, entry: str) -> Published | None:
        """The published value of an entry of the item; None if the ledger has no such number."""
        found = self._entries.get(entry)
        return None if found is None or found.published.sign else found.published


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper that can be drawn again.

    Attributes
    ----------
    name : str
        Of the item of the ledger.
    needs : dict
        Arms whose runs it draws by name of the experiment, with or without what is crossed; none where networks are
        looked at before training.
    draw : callable
        Makes the figure from `Results`.
    """

    name: str
    needs: Mapping[str, tuple[str, ...]]
    draw: Callable[[Results], Figure]

    def check(self, evidence: Mapping[str, Evidence]) -> None:
        """See that there is something to draw.

        Raises
        ------
        ParameterError
            If an experiment is missing, or none of the arms has a finished run; says which, and how to make them.
        """
        how = f"dendrosim reproduce {self.name} --preset quick makes them, --runs FOLDER takes finished ones"
        missing = [experiment for experiment in self.needs if experiment not in evidence]
        if missing:
            raise ParameterError(f"{self.name} needs runs of {' and '.join(missing)}, and nothing was given; {how}")
        wanted = {name: _full(arms, evidence[name].settings) for name, arms in self.needs.items() if arms}
        if wanted and not any(evidence[name].of(arm) for name, arms in wanted.items() for arm in arms):
            shown = "; ".join(f"{name} (arms {', '.join(map(repr, self.needs[name]))})" for name in wanted)
            raise ParameterError(f"{self.name} needs runs of {shown}, and none is finished; {how}")


def _full(arms: Sequence[str], known: Iterable[str]) -> list[str]:
    """Full names of arms that are given with or without what is crossed."""
    return [name for name in known if any(name == arm or name.startswith(f"{arm}, ") for arm in arms)]
