"""The evaluation protocol over the course of training, from what training recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError, choose
from .evaluation import Layers, aggregate, deep, measure
from .evaluation_verdict import Accuracy, Thresholds, Verdict, invalid, unstable, useless

Floats = NDArray[np.float64]

MEASURES = ("layer", "activity", "growth", "gradient_mean", "gradient_sample", "credit", "cosine_paper", "cosine_input",
            "cosine_output", "given")  # fmt: skip
"""Columns of `measure` that are kept over time."""


def snapshot(layers: Layers, right: int, n: int, epoch: float, epsilon: float) -> dict[str, NDArray[Any]]:
    """Columns of one time: a row per layer; ``loss``, ``right``, ``n`` and ``samples`` are the same in all.

    Parameters
    ----------
    layers : Layers
    right, n : int
        Right answers among the test samples, and how many those are.
    epoch : float
    epsilon : float
        Of the paper's cosine.
    """
    table = measure(layers, epsilon)
    same = {"epoch": epoch, "loss": float(np.mean(layers.loss)), "right": right, "n": n, "samples": layers.n_samples}
    columns = {name: np.full(table.size, float(value)) for name, value in same.items()}
    return {**columns, **{name: table[name].astype(np.float64) for name in MEASURES}}


class EvaluationHistory:
    """Measures of the evaluation protocol at several times of one training.

    Parameters
    ----------
    columns : mapping of str to arrays
        ``run.records["evaluation"]`` of `dendrosim.training.RecordEvaluation`.

    Attributes
    ----------
    epochs : float array of shape (T,)
    depth : int
        L, the number of blocks.
    samples : int
        N of the paper's reference norm.
    loss, accuracy : float arrays of shape (T,)
        On the samples that layers are measured on, and on all that were tested.

    Raises
    ------
    ParameterError
        If a column is missing, or they differ in length.
    """

    def __init__(self, columns: Mapping[str, ArrayLike]) -> None:
        missing = [name for name in ("epoch", "loss", "right", "n", "samples", *MEASURES) if name not in columns]
        if missing:
            raise ParameterError(f"the column {missing[0]!r} is missing; there are {', '.join(columns) or 'none'}")
        values = {name: numbers(name, column).astype(np.float64) for name, column in columns.items()}
        self.depth = int(values["layer"].max())
        lengths = {name: column.size for name, column in values.items()}
        if len(set(lengths.values())) > 1 or values["layer"].size % (self.depth + 1):
            raise ParameterError(f"the columns differ in length, or a time lacks layers: {lengths}")
        self._values = {name: column.reshape(-1, self.depth + 1) for name, column in values.items()}
        self.epochs, self.loss = self._values["epoch"][:, 0], self._values["loss"][:, 0]
        self.accuracy = self._values["right"][:, 0] / self._values["n"][:, 0]
        self.samples = int(self._values["samples"][0, 0])

    def series(self, quantity: str, layer: int | None = None) -> Floats:
        """One quantity over time: of a layer, (T,), or of all, (T, L + 1).

        Parameters
        ----------
        quantity : str
            A column of `dendrosim.diagnostics.evaluation.measure`.
        layer : int, optional

        Returns
        -------
        float array of shape (T,) or (T, L + 1)

        Raises
        ------
        ParameterError
            If the quantity or the layer is not known.
        """
        found = self._values[choose("quantity", quantity, [*MEASURES[1:], "loss"])]
        if layer is None:
            return found
        if not 0 <= layer <= self.depth:
            raise ParameterError(f"layer={layer} does not exist; valid: 0 to {self.depth}")
        return found[:, layer]

    @property
    def rho(self) -> Floats:
        """Largest growth of a block, (T,)."""
        found: Floats = self._values["growth"][:, :-1].max(axis=1)
        return found

    def reference(self, definition: str = "paper") -> Floats:
        """``|g_L|``, (T,), by `definition`: of the mean loss ("paper"), or of each sample's own ("corrected")."""
        name = {"paper": "gradient_mean", "corrected": "gradient_sample"}[_definition(definition)]
        return self._values[name][:, -1]

    def gamma(self, definition: str = "paper") -> Floats:
        """Aggregate cosine, (T,), by `definition`: "paper" or "corrected"."""
        return np.array([aggregate(row) for row in self._cosines(definition)])

    def deep(self, definition: str = "paper") -> Floats:
        """Deep cosine, (T,), by `definition`: "paper" or "corrected"."""
        return np.array([deep(row) for row in self._cosines(definition)])

    def _cosines(self, definition: str) -> Floats:
        name = {"paper": "cosine_paper", "corrected": "cosine_output"}[_definition(definition)]
        return self._values[name][:, :-1]

    def verdicts(
        self, frozen: float | Accuracy | None = None, thresholds: Thresholds | None = None, definition: str = "paper"
    ) -> list[Verdict]:
        """The verdict at every time by `thresholds` and `definition`, against the baseline's accuracy `frozen`."""
        limits = Thresholds() if thresholds is None else thresholds
        baseline = None if frozen is None else Accuracy.of(frozen)
        found = []
        for rho, norm, right, n in zip(
            self.rho, self.reference(definition), self._values["right"][:, 0], self._values["n"][:, 0], strict=True
        ):
            utility = None if baseline is None else useless(Accuracy(int(right), int(n)), baseline, limits)
            found.append(Verdict(unstable(float(rho), limits), invalid(float(norm), limits), utility))
        return found

    def __len__(self) -> int:
        return int(self.epochs.size)

    def __str__(self) -> str:
        heads = ("epoch", "accuracy", "|h_L|", "|g_L|", "rho", "Gamma", "deep", "deep, output")
        lines = [f"Evaluation over training, N = {self.samples}", "", "".join(f"{head:>13}" for head in heads)]
        columns = (
            self.epochs, self.accuracy, self.series("activity", self.depth), self.reference(), self.rho, self.gamma(),
            self.deep(), self.deep("corrected"),
        )  # fmt: skip
        lines += ["".join(f"{value:>13.4g}" for value in row) for row in zip(*columns, strict=True)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<EvaluationHistory: {len(self)} times, {self.depth} blocks>"


def _definition(given: str) -> str:
    return choose("definition", given, ("paper", "corrected"))
