"""What a published value is compared with: the runs of one experiment, and what is measured of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..training.run import Run


@dataclass(frozen=True)
class Evidence:
    """Arms, seeds and finished runs of one experiment, as a preset asks for them.

    Attributes
    ----------
    experiment : str
    settings : dict of dicts
        All sections by name of the arm, everything laid over.
    seeds : tuple of int
    runs : dict of dicts of Run
        Finished ones by name of the arm and seed, without their networks; arms without any may be missing.
    """

    experiment: str
    settings: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...]
    runs: Mapping[str, Mapping[int, Run]] = field(default_factory=dict, repr=False)

    def of(self, arm: str) -> Mapping[int, Run]:
        """Finished runs of an arm by seed."""
        return self.runs.get(arm, {})


class Measure(ABC):
    """One number per seed of an arm.

    Constructors keep their arguments under the same names; they are the options that a ledger file gives.
    """

    name: ClassVar[str]
    trained: bool = True
    """Whether it looks at finished runs; else at networks before training, which need none."""

    @abstractmethod
    def values(self, evidence: Evidence, arm: str) -> dict[int, float]:
        """Value by seed; seeds without a finished run are left out.

        Parameters
        ----------
        evidence : Evidence
            All runs of the experiment, so that one can be compared with another.
        arm : str

        Raises
        ------
        DendrosimError
            If it cannot be taken of these runs.
        """


class OfRun(Measure):
    """A number that a run has by itself."""

    def values(self, evidence: Evidence, arm: str) -> dict[int, float]:
        return {seed: self.of_run(run) for seed, run in sorted(evidence.of(arm).items())}

    @abstractmethod
    def of_run(self, run: Run) -> float:
        """The number."""
