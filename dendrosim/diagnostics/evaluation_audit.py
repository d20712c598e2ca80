"""The evaluation protocol on one trained model: raw numbers, both definitions side by side, and the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, numbers, whole
from ..errors import ParameterError
from .evaluation import Layers, aggregate, deep, dominance, growth_rms, mean_cosine, measure
from .evaluation_subjects import Auditable, auditable
from .evaluation_verdict import Accuracy, Thresholds, Verdict, invalid, strategies, unstable, useless

COLUMNS = ("paper", "corrected")


class Audit:
    """What the protocol says of one model; made by `audit`.

    Two columns of numbers stand side by side. ``paper``: the reference gradient is that of the mean loss, whose length
    depends on the number of samples, credits are compared with the gradient at the input of their block, and lengths
    are clamped. ``corrected``: gradients are those of each sample's own loss, a credit is compared with the gradient
    that it stands for, growth is that of the root mean square activity of a unit, and directions are taken before any
    clamp.

    Attributes
    ----------
    table : structured array of shape (L + 1,)
        As `dendrosim.diagnostics.evaluation.measure` gives it.
    name : str
    n_samples : int
        Samples that layers were measured on: N, which the paper's second check depends on.
    n_classes : int
    accuracy : Accuracy
    frozen, exact : Accuracy or None
        Of the frozen baseline, and of backpropagation.
    loss : float
        Mean over the samples.
    first : float
        Cosine of what the embedding is told and g_0.
    thresholds : Thresholds
    rho, reference, gamma, deep, dominance : dict of str to float
        Largest growth, ``|g_L|``, aggregate and deep cosine and the share of one layer in it, in both columns.
    verdicts : dict of str to Verdict
    """

    def __init__(
        self,
        layers: Layers,
        accuracy: Accuracy,
        n_classes: int,
        *,
        frozen: Accuracy | None = None,
        exact: Accuracy | None = None,
        thresholds: Thresholds | None = None,
        name: str = "model",
    ) -> None:
        self.thresholds = Thresholds() if thresholds is None else thresholds
        self.table, self.name, self.n_samples = measure(layers, self.thresholds.cosine_epsilon), name, layers.n_samples
        self.accuracy, self.frozen, self.exact, self.n_classes = accuracy, frozen, exact, n_classes
        self.loss = float(np.mean(layers.loss))
        self.first = float("nan") if layers.first is None else mean_cosine(layers.first, layers.gradient[0])
        t = self.table
        seen = {"paper": t["cosine_paper"][:-1], "corrected": t["cosine_output"][:-1]}
        self.rho = {"paper": float(np.max(t["growth"][:-1])), "corrected": float(np.max(growth_rms(t)))}
        self.reference = {"paper": float(t["gradient_mean"][-1]), "corrected": float(t["gradient_sample"][-1])}
        self.gamma, self.deep, self.dominance = (
            {column: function(values) for column, values in seen.items()} for function in (aggregate, deep, dominance)
        )
        flagged = None if frozen is None else useless(accuracy, frozen, self.thresholds)
        self.verdicts = {
            column: Verdict(
                unstable(self.rho[column], self.thresholds), invalid(self.reference[column], self.thresholds), flagged
            )
            for column in COLUMNS
        }

    @property
    def verdict(self) -> Verdict:
        """By the paper's definitions."""
        return self.verdicts["paper"]

    @property
    def gap(self) -> float:
        """Accuracy above the frozen baseline; nan without one."""
        return float("nan") if self.frozen is None else float(self.accuracy.exact - self.frozen.exact)

    @property
    def informative(self) -> bool | None:
        """Whether backpropagation itself passes the third check here; None where its accuracy was not given.

        Where it does not, the task can be done without trained depth, and the check says nothing of a method.
        """
        if self.frozen is None or self.exact is None:
            return None
        return not useless(self.exact, self.frozen, self.thresholds)

    @property
    def earned(self) -> float:
        """Mean cosine of the credits that are not the gradient itself with the gradient they stand for.

        Feedback alignment hands the deepest block its exact gradient: that cosine of 1 is no evidence of alignment. nan
        where all are given, as in backpropagation.
        """
        blocks = self.table[:-1]
        left = blocks["cosine_output"][~blocks["given"]]
        return float(left.mean()) if left.size else float("nan")

    @property
    def strategies(self) -> dict[str, bool | None]:
        """Whether S0 to S3 would have noticed a failure, by the paper's definitions."""
        return strategies(float(self.accuracy), self.gamma["paper"], self.verdict, self.n_classes, self.thresholds)

    @property
    def lopsided(self) -> dict[str, bool]:
        """Whether one layer carries the aggregate cosine: the second failure mode, to be read beside the verdict."""
        return {column: share > self.thresholds.dominance for column, share in self.dominance.items()}

    def __str__(self) -> str:
        baseline = "no frozen baseline" if self.frozen is None else f"frozen {float(self.frozen):.4f}, {self.gap:+.4f}"
        lines = [
            f"{self.name}: {self.verdict}",
            f"accuracy {float(self.accuracy):.4f} ({baseline}), loss {self.loss:.4f}; layers on N = {self.n_samples}",
            "",
            f"{'':<24}{'paper':>12}{'corrected':>12}",
        ]
        if self.informative is False:
            lines.insert(2, "depth utility is not informative here: backpropagation does not pass it either")
        for label, found in (
            ("D1 growth rho", self.rho),
            ("D2 |g_L|", self.reference),
            ("aggregate cosine", self.gamma),
            ("deep cosine", self.deep),
            ("share of one layer", self.dominance),
        ):
            lines.append(f"{label:<24}" + "".join(f"{found[column]:>12.4g}" for column in COLUMNS))
        lines.append(f"{'verdict':<24}" + "".join(f"{self.verdicts[column]!s:>12.11}" for column in COLUMNS))
        heads = ("|h|", "|g| mean", "|g| sample", "|a|", "cos paper", "cos input", "cos output")
        names = ("activity", "gradient_mean", "gradient_sample", "credit", "cosine_paper", "cosine_input")
        lines += ["", f"{'layer':>5}" + "".join(f"{head:>12}" for head in heads)]
        for row in self.table:
            given = " given" if row["given"] else ""
            values = "".join(f"{row[name]:>12.4g}" for name in (*names, "cosine_output"))
            lines.append(f"{row['layer']:>5}{values}{given}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Audit of {self.name}: {self.verdict}>"


def audit(
    subject: Auditable,
    x: ArrayLike,
    y: ArrayLike,
    *,
    frozen: float | Accuracy | Auditable | None = None,
    exact: float | Accuracy | Auditable | None = None,
    samples: int = 1024,
    thresholds: Thresholds | None = None,
) -> Audit:
    """Run the evaluation protocol on a trained model.

    Parameters
    ----------
    subject : Auditable
        The model with its credit rule: `ResidualSubject`, `DendriticSubject`, `TorchSubject`, or one of your own.
    x : array of shape (n, n_inputs)
        Test samples.
    y : int array of shape (n,)
        Classes.
    frozen : float, Accuracy or Auditable, optional
        Test accuracy of the same architecture with blocks that were never trained, or that model itself. Without it
        the third check cannot be made, and the verdict says so.
    exact : float, Accuracy or Auditable, optional
        The same of backpropagation: it tells whether the third check is informative on this task.
    samples : int, default 1024
        The first so many test samples are those that layers are measured on.
    thresholds : Thresholds, optional
        The paper's by default.

    Returns
    -------
    Audit

    Raises
    ------
    ParameterError
        If arrays do not fit.

    Notes
    -----
    After "What Accuracy and Gradient Cosine Miss" (the evaluation paper), section 5; the columns that are called
    corrected are ours.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> from dendrosim.diagnostics import ResidualSubject, audit
    >>> x, y = np.random.default_rng(0).random((64, 12)), np.arange(64) % 3
    >>> report = audit(ResidualSubject(ds.networks.ResMLP(12, 3, 16, 2), "dfa"), x, y, frozen=0.9)
    >>> str(report.verdict)
    'fail (D3)'
    """
    auditable(subject)
    if thresholds is not None:
        instance("thresholds", thresholds, Thresholds, "such as ds.diagnostics.Thresholds(depth=0.01)")
    inputs, targets = numbers("x", x), _classes(y, x)
    few = whole("samples", samples, 1)
    logits = subject.predict(inputs)
    layers = subject.layers(inputs[:few], targets[:few])
    compared = [
        _accuracy(one.predict(inputs), targets)
        if isinstance(one, Auditable)
        else None
        if one is None
        else Accuracy.of(one)
        for one in (frozen, exact)
    ]
    return Audit(
        layers,
        _accuracy(logits, targets),
        int(logits.shape[1]),
        frozen=compared[0],
        exact=compared[1],
        thresholds=thresholds,
        name=subject.name,
    )


def _accuracy(logits: NDArray[Any], y: NDArray[Any]) -> Accuracy:
    return Accuracy(int((logits.argmax(axis=1) == y).sum()), len(y))


def _classes(y: ArrayLike, x: ArrayLike) -> NDArray[Any]:
    targets, samples = numbers("y", y), numbers("x", x)
    if samples.ndim < 2:
        raise ParameterError(f"x has shape {samples.shape}; expected (n_samples, n_inputs)")
    if targets.shape != (len(samples),) or targets.dtype.kind not in "iu":
        raise ParameterError(
            f"y has shape {targets.shape} and dtype {targets.dtype}; expected one class per sample, "
            f"({len(samples)},) whole numbers"
        )
    return targets
