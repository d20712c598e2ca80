"""Broadcasts of less bandwidth, or with noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..arguments import flag, number, short
from ..errors import ParameterError
from .broadcast import REAL, Broadcast, Floats, Signal

if TYPE_CHECKING:
    from ..networks.network import Network
    from .base import Teaching
    from .lesson import Lesson

MOST_BITS = 24


class Degraded(Broadcast):
    """Another broadcast whose signal is degraded between sender and compartments, part by part.

    What is sent is degraded, not what compartments make of it: one number of `Scalar`, the soma errors of `PerSoma`,
    the output errors of `DFA`. In this order: only the largest are kept; signs or few levels are sent; noise is added.

    Parameters
    ----------
    teaching : Teaching, str or mapping
        The broadcast to degrade, as for `teaching`.
    sign : bool, default False
        Send sign(e) times the mean magnitude in the batch.
    bits : int, optional
        Send one of 2^bits levels, evenly spaced from the least to the greatest value in the batch.
    keep : float, optional
        Send this fraction of the values of each sample, the largest in magnitude, and 0 for the others; the published
        runs kept 0.3.
    noise : float, default 0.0
        Standard deviation of normal noise added to every value, in units of the error of *one* sample, as in the
        published runs: errors here have the batch's 1/B in them, and noise is divided by B likewise.
    relative_noise : float, default 0.0
        Standard deviation of more noise, relative to the root mean square of the signal in the batch.

    Raises
    ------
    ParameterError
        If there is nothing to degrade, or both `sign` and `bits` are asked for.
    """

    name: ClassVar[str] = "degraded"

    def __init__(
        self,
        teaching: Teaching | str | Mapping[str, Any],
        sign: bool = False,
        bits: int | None = None,
        keep: float | None = None,
        noise: float = 0.0,
        relative_noise: float = 0.0,
    ) -> None:
        from .registry import TEACHING
        from .registry import teaching as made

        self.teaching = inner = made(teaching)
        if not isinstance(inner, Broadcast) or isinstance(inner, Degraded):
            valid = ", ".join(k for k, v in TEACHING.items() if issubclass(v, Broadcast) and v is not Degraded)
            raise ParameterError(
                f"teaching {inner.name!r} broadcasts nothing that could be degraded; these do: {valid}"
            )
        self._inner = inner
        self.sign = flag("sign", sign)
        if bits is not None and (isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= MOST_BITS):
            raise ParameterError(f"bits={short(bits)} must be a whole number from 1 to {MOST_BITS}")
        if self.sign and bits is not None:
            raise ParameterError("sign=True and bits= both say how values are coded; give one of them")
        self.bits = bits
        self.keep = None if keep is None else number("keep", keep, above=0.0, most=1.0)
        self.noise = number("noise", noise, least=0.0)
        self.relative_noise = number("relative_noise", relative_noise, least=0.0)
        if not (self.sign or bits or self.keep or self.noise or self.relative_noise):
            raise ParameterError("nothing is degraded; ask for sign, bits, keep, noise or relative_noise")

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        self._inner.prepare(network, rng)
        if self.keep is not None and max(self.sizes(network)) < 2:
            raise ParameterError(
                f"keep={self.keep} of the one number that {self._inner.name!r} sends per sample leaves nothing out; "
                "it works with teaching that sends several, such as 'per_soma' or 'dfa'"
            )

    def signal(self, lesson: Lesson) -> Signal:
        return tuple(self._degrade(part, lesson.rng) for part in self._inner.signal(lesson))

    def deliver(self, lesson: Lesson, signal: Signal) -> None:
        self._inner.deliver(lesson, signal)

    def sizes(self, network: Network) -> tuple[int, ...]:
        return self._inner.sizes(network)

    def bits_per_sample(self, network: Network) -> float:
        """Bits per value that is sent, and for which values these are; a scale common to a batch is not counted."""
        each = 1.0 if self.sign else float(self.bits or REAL)
        total = 0.0
        for size in self.sizes(network):
            sent = self._sent(size)
            which = 0.0 if sent == size else min(sent * math.ceil(math.log2(size)), size)  # addresses, or a mask
            total += sent * each + which
        return total

    def _sent(self, size: int) -> int:
        return size if self.keep is None else max(1, round(self.keep * size))

    def _degrade(self, part: Floats, rng: np.random.Generator) -> Floats:
        e = part.copy()
        sent = self._sent(e.shape[1])
        if sent < e.shape[1]:
            least = np.argpartition(np.abs(e), e.shape[1] - sent, axis=1)[:, : e.shape[1] - sent]
            np.put_along_axis(e, least, 0.0, axis=1)
        told = np.full(e.shape, self.keep is None) | (e != 0.0)
        if told.any() and self.sign:
            e = np.sign(e) * np.abs(e[told]).mean()
        elif told.any() and self.bits:
            e[told] = quantised(e[told], self.bits)  # what is not sent stays 0
        spread = self.noise / len(e)
        if self.relative_noise:
            spread += self.relative_noise * math.sqrt(float(np.mean(np.square(part, dtype=np.float64))))
        if spread:
            e += e.dtype.type(spread) * rng.standard_normal(e.shape, dtype=e.dtype)
        return e

    def state(self) -> dict[str, Floats]:
        return self._inner.state()

    def restore(self, state: dict[str, Floats]) -> None:
        self._inner.restore(state)


def quantised(e: Floats, bits: int) -> Floats:
    """Values moved to the nearest of 2^bits levels between the least and the greatest."""
    low, high = float(e.min()), float(e.max())
    if low == high:
        return e
    step = (high - low) / (2**bits - 1)
    out: Floats = low + step * np.rint((e - low) / step)
    return out
