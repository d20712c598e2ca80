"""How well local proxies know the path gain of a single neuron: bias, variance and cost of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import generator, instance, number, numbers, several, short, whole
from ..arguments import names as given_names
from ..biophysics.steady import State
from ..errors import ParameterError, choose
from ..networks.neurons import Neurons
from ..plasticity.modulators.path import PathGain
from ..teaching.noise.draws import NOISES
from .proxy_kinds import PROXIES, Noise, Trial, Truth

if TYPE_CHECKING:
    from ..networks.neuron_activity import NeuronLayout

Floats = NDArray[np.float64]

BASELINES = ("clean", "mean")
MEASURES = (
    "bias", "bias_scaled", "spread", "error", "error_scaled", "cosine", "correlation", "predicted",
)  # fmt: skip
_ROW = np.dtype([("proxy", "U32"), ("samples", "i8"), ("passes", "i8"), *((name, "f8") for name in MEASURES)])
_FOURTH = {"gauss": 3.0, "rademacher": 1.0}
"""Fourth moments of the kinds of noise whose errors have a formula here."""


class PathGainProxies:
    """Estimates of the path gain by several proxies; made by `path_gain_proxies`.

    Errors are over the compartments with a membrane besides the soma (`where`), relative to the length of the vector of
    true mean gains g, and root mean squares over repetitions.

    Attributes
    ----------
    table : structured array
        A row per proxy and number of samples:

        - ``proxy``, ``samples``; ``passes``: perturbed forward passes that it takes;
        - ``bias``: of the mean estimate, ``|m - g| / |g|``, less what finitely many repetitions make of the spread;
        - ``bias_scaled``: the same after the best common factor of m;
        - ``spread``: root of the summed variance over repetitions, over ``|g|``;
        - ``error``: ``|estimate - g| / |g|``, bias and spread together;
        - ``error_scaled``: the same after the best common factor of each estimate, which is the sine of its angle to g;
        - ``cosine``, ``correlation``: with g, over compartments, means over repetitions (nan for a constant);
        - ``predicted``: what theory says about ``error``, nan where it says nothing.
    gain : float array of shape (N,)
        True dV_soma/dV_n, mean over the pool of stimuli.
    gain_spread : float
        How much the true gain of single stimuli differs from its mean: root mean square over ``|g|``.
    distance : float array of shape (N,)
        Path distance from the soma, um; in trees without lengths the number of compartments.
    mean, deviation : dict of float arrays of shape (n_sizes, N)
        Mean and standard deviation of each proxy's estimate over repetitions.
    samples : tuple of int
    where : bool array of shape (N,)
    captured : float
        Share of the energy of the mean transfer to the soma that lies in the subspace of activity.
    rank : int
        Dimensions of that subspace.
    """

    def __init__(
        self,
        layout: NeuronLayout,
        distance: Floats,
        where: NDArray[np.bool_],
        truth: Truth,
        gains: Floats,
        samples: tuple[int, ...],
        found: dict[str, Floats],
    ) -> None:
        self.layout, self.distance, self.where, self.samples = layout, distance, where, samples
        self.gain = truth.gain
        g = self.gain[where]
        self.gain_spread = float(np.sqrt(((gains[:, where] - g) ** 2).sum(axis=1).mean() / (g @ g)))
        transfer = truth.transfer.mean(axis=0)
        self.rank = truth.basis.shape[1]
        self.captured = float(((truth.basis.T @ transfer) ** 2).sum() / (transfer @ transfer))
        self.mean = {name: values.mean(axis=1) for name, values in found.items()}
        self.deviation = {name: values.std(axis=1, ddof=1) for name, values in found.items()}
        rows = []
        for name, values in found.items():
            proxy = PROXIES[name]
            for k, n in enumerate(samples):
                theory = np.sqrt(proxy.predicted(truth, n)[where].sum() / (g @ g))
                passes = n if proxy.perturbs else 0
                rows.append((name, n, passes, *_measures(values[k][:, where], g), theory))
        self.table = np.array(rows, dtype=_ROW)

    def plot(self, **options: Any) -> Any:
        """Draw errors against samples and estimates against distance; see `dendrosim.plotting.plot_gain_proxies`."""
        from ..plotting import plot_gain_proxies

        return plot_gain_proxies(self, **options)

    def row(self, proxy: str, samples: int) -> Any:
        """The row of the table for a `proxy` and a number of `samples`.

        Raises
        ------
        ParameterError
            If there is no such row.
        """
        chosen = (self.table["proxy"] == proxy) & (self.table["samples"] == samples)
        if not chosen.any():
            raise ParameterError(
                f"there is no row for {proxy!r} and {samples} samples; proxies: {', '.join(self.mean)}; samples: "
                f"{', '.join(map(str, self.samples))}"
            )
        return self.table[chosen][0]

    def __str__(self) -> str:
        lines = [
            f"Proxies of the path gain, {int(self.where.sum())} compartments, {self.samples[-1]} samples",
            "",
            f"{'proxy':<16}  {'passes':>6}  {'bias':>6}  {'scaled':>6}  {'spread':>6}  {'error':>6}  {'cosine':>6}",
        ]
        for row in self.table[self.table["samples"] == self.samples[-1]]:
            values = "  ".join(f"{row[k]:6.3f}" for k in ("bias", "bias_scaled", "spread", "error", "cosine"))
            lines.append(f"{row['proxy']!s:<16}  {row['passes']:6d}  {values}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<PathGainProxies: {len(self.mean)} proxies, {self.gain.size} compartments, samples {self.samples}>"


def path_gain_proxies(
    neurons: Neurons,
    x: ArrayLike,
    *,
    proxies: Sequence[str] | None = None,
    samples: Sequence[int] = (10, 30, 100, 300, 1000),
    repetitions: int = 20,
    inject: str | None = None,
    sigma: float | None = None,
    noise: str = "gauss",
    rank: int = 8,
    baseline: str = "clean",
    targets: ArrayLike | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> PathGainProxies:
    """Compare local proxies of the path gain dV_soma/dV_n of one neuron with the exact one.

    Every repetition draws its stimuli from `x`, with replacement, perturbs each once, and lets every proxy estimate the
    gain of all compartments from the first 10, 30 ... of them; the truth is the exact gain, averaged over all of `x`.

    Parameters
    ----------
    neurons : Neurons
        One cell.
    x : float array of shape (B, n_inputs)
        The pool of stimuli, two or more.
    proxies : sequence of str, optional
        ``constant``, ``rho``, ``correlation``, ``slope``, ``ebd``, ``ebd_score`` (needs `targets`), ``path_layer``,
        ``path_compartment``, ``vnc``, ``vnc_own``, ``nmnc``, ``mirror``; by default all that can be had.
    samples : sequence of int, default (10, 30, 100, 300, 1000)
        Numbers of stimuli and of perturbations, each 2 or more.
    repetitions : int, default 20
        Two or more.
    inject : {"voltage", "current"}, optional
        Where noise goes; by default "voltage" in directed trees, "current" in the reciprocal cable, which allows
        nothing else.
    sigma : float, optional
        Standard deviation of the noise in mV or pA; 1 in physical units, 0.05 in normalised ones by default. Without a
        gate, and with a clean baseline, it makes no difference.
    noise : {"gauss", "rademacher", "orthogonal"}, default "gauss"
    rank : int, default 8
        Dimensions of the subspace of activity, the first principal components of all voltages under `x`.
    baseline : {"clean", "mean"}, default "clean"
        What a perturbed voltage is compared with: the voltage under the same stimulus without noise, or the mean over
        the samples, so that the stimuli themselves are noise, too.
    targets : float array of shape (B,), optional
        What the soma's voltage should be, mV: gives the score V_soma - target.
    seed : int, default 0
    threads : int, optional

    Returns
    -------
    PathGainProxies

    Raises
    ------
    ParameterError
        If arguments are impossible or do not go together.

    Notes
    -----
    In the reciprocal cable a current xi_n moves V_soma by Z_n0 xi_n and V_n by Z_nn xi_n, and Z_n0 / Z_nn is the
    attenuation from n to the soma, exactly: a compartment that correlates its own noise with the soma's voltage and
    with its own finds the path gain without knowing the path.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> tree = ds.Compartments.branching([3, 3])
    >>> neuron = ds.Neurons(tree, ds.Synapses.scatter(tree, 60, 20), readout="soma", direction="directed")
    >>> x = np.random.default_rng(0).random((100, 80))
    >>> report = ds.diagnostics.path_gain_proxies(neuron, x, samples=[10, 1000])
    >>> bool(report.row("vnc", 1000)["error"] < report.row("constant", 1000)["error"])
    True
    """
    instance("neurons", neurons, Neurons, "such as ds.Neurons(compartments, synapses, readout='soma')")
    if neurons.layout.n_cells != 1:
        raise ParameterError(f"path gains are those of one cell at a time; these are {neurons.layout.n_cells} cells")
    pool = neurons.checked(x)
    if len(pool) < 2:
        raise ParameterError("x has one stimulus; correlations need a pool of two or more")
    sizes = tuple(sorted(whole("samples", n, 2) for n in several("samples", samples, "a list of whole numbers")))
    if not sizes:
        raise ParameterError("samples is empty; give numbers of samples, such as [10, 100]")
    repeats = whole("repetitions", repetitions, 2)
    names = _chosen(proxies, neurons, targets)
    way = neurons.direction == "directed"
    place = choose("inject", ("voltage" if way else "current") if inject is None else inject, ("voltage", "current"))
    if place == "voltage" and not way:
        raise ParameterError("inject='voltage' works in directed trees; in the reciprocal cable use inject='current'")
    usual = 1.0 if neurons.compartments.physical else 0.05
    size = usual if sigma is None else number("sigma", sigma, above=0.0)
    choose("noise", noise, NOISES)
    choose("baseline", baseline, BASELINES)
    state = neurons.solve(pool, threads)
    goal = None if targets is None else _targets(targets, len(pool))
    rest = state.solved - neurons.compartments.leak_reversal
    gains, resistance = state.attenuation_to_soma, state.input_resistance
    impedance = np.ones(rest.shape[1]) if place == "voltage" else resistance.mean(axis=0)
    basis = _basis(rest, rank)
    truth = Truth(
        transfer=gains if place == "voltage" else gains * resistance,
        impedance=impedance,
        gain=gains.mean(axis=0),
        basis=basis,
        fourth=_FOURTH.get(noise, np.nan) if neurons.gate is None and baseline == "clean" else np.nan,
    )
    local = _local(neurons, state)
    where = (neurons.compartments.parent >= 0) & (neurons.compartments.leak > 0)
    wanted = {PROXIES[name].perturbs for name in names}
    rng = generator("seed", seed)
    found = {name: np.empty((len(sizes), repeats, rest.shape[1])) for name in names}
    for repeat in range(repeats):
        chosen = rng.integers(0, len(pool), sizes[-1])

        def answered(xi: Floats, rows: NDArray[np.int64] = chosen) -> Noise:
            current = xi / resistance[rows] if place == "voltage" else xi
            moved = neurons.solve(pool[rows], threads, current).solved - neurons.compartments.leak_reversal
            return xi, moved - (rest[rows] if baseline == "clean" else moved.mean(axis=0))

        nothing = np.empty((sizes[-1], 0))
        free = bound = (nothing, nothing)
        if "free" in wanted:
            free = answered(size * _drawn(noise, sizes[-1], rest.shape[1], rng))
        if "bound" in wanted:
            bound = answered(size * _drawn(noise, sizes[-1], basis.shape[1], rng) @ basis.T)
        score = None if goal is None else rest[chosen, 0] - (goal[chosen] - neurons.compartments.leak_reversal)
        trial = Trial(
            layout=neurons.layout,
            coupling=neurons.compartments.coupling,
            voltage=rest[chosen],
            local=local[chosen],
            impedance=impedance,
            score=score,
            sigma=size,
            voltage_noise=place == "voltage",
            passive=neurons.gate is None and (not way or neurons.integration == "shunting"),
            free=free,
            bound=bound,
        )
        for k, n in enumerate(sizes):
            part = trial.first(n)
            for name in names:
                found[name][k, repeat] = PROXIES[name].estimate(part)
    return PathGainProxies(neurons.layout, neurons.compartments.path_distance, where, truth, gains, sizes, found)


def _chosen(proxies: Sequence[str] | None, neurons: Neurons, targets: ArrayLike | None) -> list[str]:
    """Names of the proxies to compare."""
    if proxies is None:
        names = [name for name in PROXIES if name != "ebd_score" or targets is not None]
    else:
        names = [choose("proxy", name, PROXIES) for name in given_names("proxies", proxies)]
    if "ebd_score" in names and targets is None:
        raise ParameterError("proxy 'ebd_score' correlates voltages with an error: give targets=, one per stimulus")
    if "path_layer" in names:
        PathGain("layer").prepare(cast("Any", neurons))  # raises where stages make no path
    return names


def _targets(targets: ArrayLike, n: int) -> Floats:
    goal = numbers("targets", targets).astype(np.float64)
    if goal.shape != (n,) or not np.isfinite(goal).all():
        raise ParameterError(f"targets must be finite and of shape ({n},), one voltage per stimulus; got {goal.shape}")
    return goal


def _basis(voltage: Floats, rank: int) -> Floats:
    """The first principal components of voltages (B, N), orthonormal, shape (N, rank)."""
    most = min(voltage.shape[0] - 1, voltage.shape[1])
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer) or not 1 <= rank <= most:
        raise ParameterError(f"rank={short(rank)} must be from 1 to {most}, for {len(voltage)} stimuli")
    components: Floats = np.linalg.svd(voltage - voltage.mean(axis=0), full_matrices=False)[2][:rank].T
    return components


def _drawn(noise: str, n: int, width: int, rng: np.random.Generator) -> Floats:
    """Noise of variance 1, shape (n, width)."""
    drawn: Floats = NOISES[noise].draw((1, 1, width, n), n, np.dtype(np.float64), rng)[0, 0].T
    return drawn


def _local(neurons: Neurons, state: State) -> Floats:
    """1 over the sum of all conductances of every compartment, neighbours' included, (B, N)."""
    if neurons.direction == "directed":
        return state.input_resistance
    from scipy.sparse import csr_array

    cells, synapses = neurons.compartments, neurons.synapses
    child = neurons.layout.child
    total = cells.leak + cells.coupling
    total += np.bincount(cells.parent[child], weights=cells.coupling[child], minlength=cells.size)
    if neurons.integration == "additive":
        return np.broadcast_to(1.0 / total, state.solved.shape)
    weight = (synapses.conductance, (synapses.compartment, synapses.source))
    active = csr_array(weight, shape=(cells.size, synapses.n_inputs)) @ state.x.T
    local: Floats = 1.0 / (total + active.T)
    return local


def _measures(estimates: Floats, gain: Floats) -> tuple[float, ...]:
    """All measures but the predicted one, of estimates (repetitions, n)."""
    length = gain @ gain
    mean, variance = estimates.mean(axis=0), estimates.var(axis=0, ddof=1).sum()
    chance = variance / len(estimates)
    factor = common_factor(mean, gain)
    bias = max(((mean - gain) ** 2).sum() - chance, 0.0)
    scaled = max(((factor * mean - gain) ** 2).sum() - factor**2 * chance, 0.0)
    error = ((estimates - gain) ** 2).sum(axis=1).mean()
    cosine = _cosines(estimates, gain)
    spread = estimates - estimates.mean(axis=1, keepdims=True)
    varies = (spread**2).sum(axis=1) > 1e-18 * (estimates**2).sum(axis=1)
    correlation = _cosines(spread[varies], gain - gain.mean()).mean() if varies.any() else np.nan
    relative = np.sqrt(np.array([bias, scaled, variance, error]) / length)
    return (*relative.tolist(), float(np.sqrt((1.0 - cosine**2).mean())), float(cosine.mean()), float(correlation))


def common_factor(estimate: Floats, gain: Floats) -> float:
    """What to multiply an estimate (n,) by to come as close to `gain` as can be; 0 for an estimate of zeros."""
    length = float(estimate @ estimate)
    return float(estimate @ gain) / length if length > 0.0 else 0.0


def _cosines(estimates: Floats, gain: Floats) -> Floats:
    """Cosine of every row with `gain`; 0 for rows of zeros."""
    lengths = np.sqrt((estimates**2).sum(axis=1) * (gain @ gain))
    cosine = np.divide(estimates @ gain, lengths, out=np.zeros(len(estimates)), where=lengths > 0.0)
    found: Floats = np.clip(cosine, -1.0, 1.0)
    return found
