"""The progress meter of a training."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from ..progress import progress_bar


class Meter:
    """A bar over all batches: rate, time left, validation accuracy.

    Parameters
    ----------
    batches, epochs : int
        Batches per epoch, and epochs.
    done : int
        Batches done already.
    show : bool or None
        None: on a terminal and in a notebook.
    """

    def __init__(self, batches: int, epochs: int, done: int, show: bool | None) -> None:
        self.show = show
        self.batches, self.epochs, self.done = batches, epochs, done
        self._bar: Any = None

    def __enter__(self) -> Meter:
        total = self.batches * self.epochs
        self._bar = progress_bar(total, done=self.done, unit=" batches", show=self.show)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def epoch(self, epoch: int) -> None:
        """Say which epoch begins, from 0."""
        if self._bar is not None:
            self._bar.set_description_str(f"epoch {epoch + 1}/{self.epochs}", refresh=False)

    def batch(self) -> None:
        """Count a batch."""
        if self._bar is not None:
            self._bar.update()

    def score(self, history: dict[str, list[float]]) -> None:
        """Show the latest accuracies."""
        if self._bar is not None:
            shown = [name for name in ("train_accuracy", "validation_accuracy") if name in history]
            self._bar.set_postfix_str(" ".join(f"{name.split('_')[0]} {history[name][-1]:.4f}" for name in shown))
