"""Alignment of gradients under random broadcast with the exact one (paper, Theorem 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import short, whole
from ..errors import ParameterError
from .fidelity_of import fidelity
from .intervals import mean_interval

if TYPE_CHECKING:
    from ..networks.network import Network
    from ..plasticity.rules import Rule
    from ..teaching import Teaching

Floats = NDArray[np.float64]

_ROW = np.dtype([("group", "U64"), *[(name, "f8") for name in ("mean", "sd", "low", "high", "positive")], ("n", "i8")])


class RandomAlignment:
    """Cosines to the exact gradient over draws of random feedback; made by `random_alignment`.

    Attributes
    ----------
    groups : tuple of str
        Rows of the tables of fidelity.
    cosine : float array of shape (draws, n_groups)
        Cosine of each draw; nan where there was no direction to compare.
    table : structured array
        Rows of ``group``, ``mean``, ``sd`` over draws, ``low`` and ``high`` limits of the 95 % confidence interval of
        the mean, ``positive``, the share of draws above zero, and ``n``, the number of draws.
    """

    def __init__(self, groups: tuple[str, ...], cosine: Floats) -> None:
        self.groups, self.cosine = groups, cosine
        rows: list[tuple[Any, ...]] = []
        for group, column in zip(groups, cosine.T, strict=True):
            values = column[np.isfinite(column)]
            if not values.size:
                rows.append((group, *[np.nan] * 5, 0))
                continue
            found = mean_interval(values)
            rows.append((group, found.mean, found.sd, found.low, found.high, float((values > 0).mean()), values.size))
        self.table = np.array(rows, dtype=_ROW)

    def __str__(self) -> str:
        width = max(map(len, self.groups))
        lines = [
            "Cosine between the gradient under random feedback and the exact one",
            "",
            f"{'group':<{width}}  {'mean':>7}  {'sd':>6}  {'95 % CI of the mean':>19}  {'> 0':>6}  {'draws':>5}",
        ]
        for row in self.table:
            interval = f"[{row['low']:.3f}, {row['high']:.3f}]"
            lines.append(
                f"{row['group']!s:<{width}}  {row['mean']:7.3f}  {row['sd']:6.3f}  {interval:>19}  "
                f"{100 * row['positive']:4.0f} %  {row['n']:5d}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<RandomAlignment: {len(self.cosine)} draws, {len(self.groups)} groups>"


def random_alignment(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    draws: int = 20,
    teaching: str | Teaching = "dfa",
    rule: str | Rule | Mapping[str, Any] = "3F",
    seed: int = 0,
    threads: int | None = None,
) -> RandomAlignment:
    """Cosine between gradients under independent draws of random feedback and the exact gradient.

    The gradient is linear in the feedback matrix, and a draw is as likely as its negative: for weights that know
    nothing of the matrix the mean over draws is zero, at initialisation and after training alike. Theorem 2 speaks of
    weights that were trained under the matrix. For those, record `FidelityHistory` while training with
    ``teaching="dfa"``, or give ``ds.fidelity`` the learner's state; means over such runs are positive, and this
    function is what they are compared with.

    Parameters
    ----------
    network : Network
        Fresh or trained.
    x, y : arrays
        The batch: inputs (B, n_inputs) and classes (B,).
    draws : int, default 20
        Number of independent matrices.
    teaching : str or Teaching, default "dfa"
        A teaching signal that draws something.
    rule : str, Rule or mapping, default "3F"
        The local rule.
    seed : int, default 0
        Of the draws.
    threads : int, optional
        As for `Network.forward`.

    Returns
    -------
    RandomAlignment

    Raises
    ------
    ParameterError
        If fewer than two draws are asked for, or the teaching signal is not random.
    """
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 2:
        raise ParameterError(f"draws={short(draws)} must be a whole number of at least 2: a spread needs two")
    reports = [
        fidelity(network, x, y, teaching=teaching, rule=rule, seed=one, threads=threads)
        for one in np.random.SeedSequence(whole("seed", seed, 0)).spawn(whole("draws", draws))
    ]
    first, second = (report.local["synapses"] for report in reports[:2])
    if np.array_equal(first, second):
        raise ParameterError(
            f"teaching={teaching!r} gives the same gradient for every seed; use one that is random, such as 'dfa'"
        )
    groups = tuple(str(name) for name in reports[0].table["group"])
    return RandomAlignment(groups, np.array([report.table["cosine"] for report in reports]))
