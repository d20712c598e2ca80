"""What was found in a morphology file: every fault with its place, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import MorphologyError
from ..shown import Shown

SEVERITIES = ("error", "warning", "note")


class Fault(NamedTuple):
    """One fault or oddity of a morphology.

    Parameters
    ----------
    code : str
        Short name of the kind of fault, the same for all faults of that kind (``zero-radius``).
    severity : {"error", "warning", "note"}
        An error makes the file unusable, a warning deserves a look, a note tells of a legal oddity.
    line : int
        Line of the file, from 1; 0 where the format has no lines.
    sample : int or None
        Identifier of the sample, as in the file.
    message : str
        What is wrong and what would work.
    fix : str
        Name of the repair (see `dendrosim.morphology.repair.REPAIRS`) that removes the fault, or "".
    """

    code: str
    severity: str
    line: int
    sample: int | None
    message: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        offer = f" [repair: {self.fix}]" if self.fix else ""
        return f"{place}{self.severity} {self.code} {self.message}{offer}"


@dataclass(frozen=True)
class Report(Shown):
    """All that was found while one morphology was read and checked.

    Parameters
    ----------
    source : str
        The file, as it was named by the caller.
    faults : tuple of Fault
        In the order of the file's lines.
    n_lines : int
        Lines of the file, blank ones and comments included.
    n_data_lines : int
        Lines that are neither blank nor a comment.
    n_samples : int
        Samples that were read; ``n_data_lines - n_samples`` lines could not be.
    soma_convention : str
        How the soma is given: none, point, three_point, contour or cylinders.
    changes : tuple of str
        What the repairs that were asked for changed.
    """

    source: str
    faults: tuple[Fault, ...] = ()
    n_lines: int = 0
    n_data_lines: int = 0
    n_samples: int = 0
    soma_convention: str = "none"
    changes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Faults that make the morphology unusable."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Faults that a user should look at."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[Fault, ...]:
        """Legal oddities."""
        return self._of("note")

    @property
    def ok(self) -> bool:
        """Whether the morphology can be used: there is no error."""
        return not any(fault.severity == "error" for fault in self.faults)

    @property
    def fixes(self) -> tuple[str, ...]:
        """Names of the repairs that the faults offer, each once."""
        return tuple(dict.fromkeys(fault.fix for fault in self.faults if fault.fix))

    def codes(self, severity: str | None = None) -> tuple[str, ...]:
        """Kinds of faults that occur, each once, of one `severity` or of all."""
        return tuple(dict.fromkeys(fault.code for fault in self.faults if severity in (None, fault.severity)))

    def lines(self, *, limit: int | None = 5, notes: bool = True) -> Iterator[str]:
        """Yield the faults as ``file:line: severity code message``, the errors first.

        Parameters
        ----------
        limit : int or None
            How many faults of one kind to show before the others are only counted; None shows all.
        notes : bool
            Whether to show the notes too.

        Yields
        ------
        str
            One fault each.
        """
        for severity in SEVERITIES if notes else SEVERITIES[:2]:
            yield from self._grouped(severity, limit)

    def summary(self) -> str:
        """One line: the number of samples, the soma that was found, and how many faults there are of which severity."""
        found = [(len(self._of(severity)), severity) for severity in SEVERITIES]
        kinds = ", ".join(f"{n} {severity}{'' if n == 1 else 's'}" for n, severity in found if n) or "nothing to report"
        samples = f"{self.n_samples:,} sample{'' if self.n_samples == 1 else 's'}"
        return f"{self.source}: {samples}, soma: {self.soma_convention}; {kinds}"

    def raise_if_unusable(self) -> None:
        """Raise the errors, all in one exception; its text counts those beyond twenty of a kind, its report has them.

        Raises
        ------
        MorphologyError
            If there is any error; its ``report`` is this report.
        """
        if self.ok:
            return
        text = [self.summary(), *self._grouped("error", 20), *self._grouped("warning", 5)]
        if offers := tuple(dict.fromkeys(fault.fix for fault in self.errors if fault.fix)):
            names = ", ".join(map(repr, offers))
            text.append(f"Nothing is repaired unasked; this would help: repair=[{names}]")
        raise MorphologyError("\n".join(text), self)

    def __str__(self) -> str:
        return "\n".join([*self.lines(), *(f"{self.source}: changed {c}" for c in self.changes), self.summary()])

    def _of(self, severity: str) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.severity == severity)

    def _grouped(self, severity: str, limit: int | None) -> Iterator[str]:
        """Lines of one severity, kind by kind."""
        for code in self.codes(severity):
            faults = [fault for fault in self.faults if fault.code == code and fault.severity == severity]
            shown = len(faults) if limit is None else limit
            yield from (self._line(fault) for fault in faults[:shown])
            if len(faults) > shown:
                first, last = faults[shown], faults[-1]
                place = f" (lines {first.line} to {last.line})" if first.line else ""
                yield f"{self.source}: {severity} {code} {len(faults) - shown:,} more of this kind{place}"

    def _line(self, fault: Fault) -> str:
        place = f"{self.source}:{fault.line}" if fault.line else self.source
        offer = f" [repair: {fault.fix}]" if fault.fix else ""
        return f"{place}: {fault.severity} {fault.code} {fault.message}{offer}"
