"""How far a sweep is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..runs.conduct import Step

_EVERY = 10.0
"""Seconds between lines."""
_MOST_FAILURES = 20
"""Failures that are told of when they happen."""


class SweepMeter:
    """Rate, time left and failures of a sweep; called with every `Step`.

    Parameters
    ----------
    terminal : bool, optional
        Whether to draw a bar; by default on a terminal.
    """

    def __init__(self, terminal: bool | None = None) -> None:
        self.terminal = sys.stderr.isatty() if terminal is None else terminal
        self._bar: Any = None
        self._began = self._said = 0.0
        self._before = self._failures = self._ended = 0

    def __call__(self, step: Step) -> None:
        if step.kinds:
            kinds = "one kind" if step.kinds == 1 else f"{step.kinds} kinds"
            self._say(f"compiling for {kinds} of runs, once per machine")
        elif step.order is None:
            self._begin(step)
        else:
            self._ended += 1
            self._note_failure(step)
            self._show(step)

    def _begin(self, step: Step) -> None:
        self._began = self._said = time.monotonic()
        self._say(f"{step.left} runs to do, {step.kept} kept" + (f", {step.failed} failed before" * bool(step.failed)))
        if self.terminal and step.left:
            from tqdm import tqdm

            self._bar = tqdm(total=step.left, unit=" runs", dynamic_ncols=True)

    def _note_failure(self, step: Step) -> None:
        if step.order is None or step.outcome is None or step.outcome.status != "failed":
            return
        self._failures += 1
        job = step.order.job
        if self._failures <= _MOST_FAILURES:
            self._say(f"failed: {job.arm.name}, seed {job.seed}: {step.outcome.error}")
        elif self._failures == _MOST_FAILURES + 1:
            self._say("more failures are only counted")

    def _show(self, step: Step) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"{step.failed} failed" if step.failed else "", refresh=False)
            self._bar.update()
            if not step.left:
                self.close()
        elif not step.left or time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            total = step.finished + step.kept + step.failed + step.left
            rate = self._ended / max(self._said - self._began, 1e-9)
            failed = f", {step.failed} failed" if step.failed else ""
            left = f", about {duration(step.left / rate)} left" if step.left else ""
            self._say(f"[{total - step.left}/{total}] {_rate(rate)}{failed}{left}")

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text)
        else:
            print(text, flush=True)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _rate(per_second: float) -> str:
    return f"{per_second:.3g} runs/s" if per_second >= 0.5 else f"{60 * per_second:.3g} runs/min"


def duration(seconds: float) -> str:
    """A time for people to read."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
