"""Local proxies of the path gain dV_soma/dV_n: what a compartment can find out without knowing its path.

One small class each, registered under its name. All but the constant are estimates from a `Trial`: n stimuli, or n
perturbations. Where nothing else is said, they are derived here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..networks.neuron_activity import NeuronLayout
from ..plasticity.modulators.base import kept
from ..plasticity.modulators.rho import Pearson, Rho

Floats = NDArray[np.float64]
Noise = tuple[Floats, Floats]
"""Noise (n, N), and what it does to every voltage (n, N)."""


@dataclass(frozen=True)
class Trial:
    """What there is to learn from: n stimuli, each of them perturbed once.

    Attributes
    ----------
    layout : NeuronLayout
        One cell.
    coupling : float array of shape (N,)
    voltage : float array of shape (n, N)
        Relative to the leak's reversal potential.
    local : float array of shape (n, N)
        1 over the sum of all conductances of a compartment, those to its neighbours included.
    impedance : float array of shape (N,)
        Mean of the input resistance that the current meets; 1 where voltages are perturbed.
    score : float array of shape (n,), optional
        Derivative of a loss by the soma's voltage.
    sigma : float
        Standard deviation of the noise.
    voltage_noise : bool
        Whether noise moves voltages, or is a current.
    passive : bool
        Whether gains are known to lie between 0 and 1, as those of passive cables and shunting trees do.
    free, bound : pair of float arrays of shape (n, N)
        Noise of all compartments, and noise in the subspace of activity.
    """

    layout: NeuronLayout
    coupling: Floats
    voltage: Floats
    local: Floats
    impedance: Floats
    score: Floats | None
    sigma: float
    voltage_noise: bool
    passive: bool
    free: Noise
    bound: Noise

    @property
    def soma(self) -> int:
        """The root."""
        return int(self.layout.roots[0])

    def first(self, n: int) -> Trial:
        """The first n stimuli and perturbations alone."""
        free, bound = ((noise[:n], answer[:n]) for noise, answer in (self.free, self.bound))
        score = None if self.score is None else self.score[:n]
        return replace(self, voltage=self.voltage[:n], local=self.local[:n], score=score, free=free, bound=bound)


@dataclass(frozen=True)
class Truth:
    """The exact gains of a pool of stimuli, for what theory predicts.

    Attributes
    ----------
    transfer : float array of shape (B, N)
        Change of the soma's voltage per noise at n, of every stimulus: the path gain, or the transfer resistance.
    impedance : float array of shape (N,)
        As for `Trial`.
    gain : float array of shape (N,)
        Mean path gain.
    basis : float array of shape (N, r)
        Orthonormal columns that span the subspace of activity.
    fourth : float
        Fourth moment of the noise, 3 for normal numbers and 1 for signs.
    """

    transfer: Floats
    impedance: Floats
    gain: Floats
    basis: Floats
    fourth: float


class Proxy(ABC):
    """An estimate of the path gain of every compartment, in units of its own unless it says otherwise.

    Attributes
    ----------
    needs : str
        What a compartment has to know for it.
    perturbs : str
        "" for none, "free" or "bound": the kind of noise, one perturbed forward pass per sample.
    """

    name: ClassVar[str]
    needs: ClassVar[str]
    perturbs: ClassVar[str] = ""

    @abstractmethod
    def estimate(self, trial: Trial) -> Floats:
        """Estimate for every compartment, shape (N,)."""

    def predicted(self, truth: Truth, n: int) -> Floats:
        """Mean squared error of every compartment's estimate from n perturbations, shape (N,); nan: not known."""
        return np.full(truth.gain.size, np.nan)


class Constant(Proxy):
    """1 everywhere: the broadcast of the soma's error, with no path factor."""

    name = "constant"
    needs = "nothing"

    def estimate(self, trial: Trial) -> Floats:
        return np.ones(trial.layout.size)


class LayerCorrelation(Proxy):
    """rho of the four-factor rule: correlation of the mean voltage of a stage with the soma's, clamped (eq. 17)."""

    name = "rho"
    needs = "voltages of its stage and of the soma"

    def estimate(self, trial: Trial) -> Floats:
        layout = trial.layout
        layers = np.stack([trial.voltage[:, layout.layer == k].mean(axis=1) for k in range(layout.n_layers)])
        usual = Rho()
        found = Pearson(layout.n_layers, 1.0, usual.eps).update(layers, trial.voltage[:, trial.soma])
        rho: Floats = kept(found, usual.clamp)[layout.layer]
        return rho


class Correlation(Proxy):
    """Correlation of a compartment's own voltage with the soma's: rho without the mean over a stage."""

    name = "correlation"
    needs = "its own voltage and the soma's"

    def estimate(self, trial: Trial) -> Floats:
        v = trial.voltage - trial.voltage.mean(axis=0)
        soma = v[:, trial.soma]
        spread = np.sqrt((v * v).sum(axis=0) * (soma @ soma))
        return _ratio(v.T @ soma, spread)


class Slope(Proxy):
    """Regression of the soma's voltage on the compartment's, over stimuli: what passive listening makes of the gain."""

    name = "slope"
    needs = "its own voltage and the soma's"

    def estimate(self, trial: Trial) -> Floats:
        v = trial.voltage - trial.voltage.mean(axis=0)
        variance = (v * v).sum(axis=0)
        return _ratio(v.T @ v[:, trial.soma], variance)


class Decorrelation(Proxy):
    """E[V_n V_soma] / E[V_soma^2]: the cross-correlation of EBD (arXiv 2504.11558) with the soma for an error."""

    name = "ebd"
    needs = "its own voltage and the soma's"

    def estimate(self, trial: Trial) -> Floats:
        soma = trial.voltage[:, trial.soma]
        found: Floats = trial.voltage.T @ soma / (soma @ soma)
        return found


class ScoreCorrelation(Proxy):
    """E[V_n s] / E[V_soma s]: the cross-correlation of EBD with the score s of a loss, relative to the soma's."""

    name = "ebd_score"
    needs = "its own voltage and the error"

    def estimate(self, trial: Trial) -> Floats:
        assert trial.score is not None
        products = trial.voltage.T @ trial.score
        found: Floats = products / products[trial.soma]
        return found


class PathOfLayers(Proxy):
    """The path factor of eq. 26: product over stages of mean conductance times mean local resistance."""

    name = "path_layer"
    needs = "means over the stages of its path"

    def estimate(self, trial: Trial) -> Floats:
        layout = trial.layout
        inner, outer = layout.layer[layout.parent[layout.child]], layout.layer[layout.child]
        pi = np.ones((layout.n_layers, len(trial.voltage)))
        for k in np.unique(outer):  # stages above come first
            steps = layout.child[(outer == k) & (inner != k)]
            if steps.size:
                above = int(layout.layer[layout.parent[steps[0]]])
                mean = trial.local[:, layout.layer == above].mean(axis=1)
                pi[k] = pi[above] * mean * trial.coupling[steps].mean()
        found: Floats = pi.mean(axis=1)[layout.layer]
        return found


class PathOfCompartments(Proxy):
    """The path product of eq. 10 with local resistances: exact in a directed tree without gates."""

    name = "path_compartment"
    needs = "conductances of its path"

    def estimate(self, trial: Trial) -> Floats:
        layout, gain = trial.layout, np.ones_like(trial.voltage)
        for n in layout.child:
            p = layout.parent[n]
            gain[:, n] = gain[:, p] * trial.local[:, p] * trial.coupling[n]
        found: Floats = gain.mean(axis=0)
        return found


class VNC(Proxy):
    """Noise of all compartments at once, correlated with the soma: mean(xi_n dV_soma) / sigma^2.

    Over the input resistance, where noise is a current. K normal perturbations of N compartments have the relative
    squared error (N + 1) / K while the gain does not change.
    """

    name = "vnc"
    needs = "its own noise, its input resistance and the soma's voltage"
    perturbs = "free"

    def estimate(self, trial: Trial) -> Floats:
        noise, answer = trial.free
        found: Floats = noise.T @ answer[:, trial.soma] / (len(noise) * trial.sigma**2 * trial.impedance)
        return found

    def predicted(self, truth: Truth, n: int) -> Floats:
        squares, mean = truth.transfer**2, truth.transfer.mean(axis=0)
        variance = squares.sum(axis=1).mean() + (truth.fourth - 1.0) * squares.mean(axis=0) - mean**2
        found: Floats = variance / n / truth.impedance**2 + (mean / truth.impedance - truth.gain) ** 2
        return found


class OwnResponse(Proxy):
    """mean(xi_n dV_soma) / mean(xi_n dV_n): noise as an instrument for the effect of V_n on the soma.

    In the cable, under currents, this is Z_n0 / Z_nn, which *is* the path gain; no resistance has to be known. As
    noise may leave little below the line, quotients are kept between 0 and 1 where gains are known to lie there.
    """

    name = "vnc_own"
    needs = "its own noise and voltage, and the soma's voltage"
    perturbs = "free"

    def estimate(self, trial: Trial) -> Floats:
        noise, answer = trial.free
        own = np.einsum("bn,bn->n", noise, answer)
        return _ratio(noise.T @ answer[:, trial.soma], own, trial.passive)


class NMNC(Proxy):
    """Noise correlation with noise in the subspace in which voltages vary (arXiv 2601.02636), as `VNC` else.

    With U an orthonormal basis of r dimensions its mean is U U^T times that of VNC, and its variance that of r
    dimensions.
    """

    name = "nmnc"
    needs = "as vnc, and noise along the components of activity"
    perturbs = "bound"

    def estimate(self, trial: Trial) -> Floats:
        noise, answer = trial.bound
        found: Floats = noise.T @ answer[:, trial.soma] / (len(noise) * trial.sigma**2 * trial.impedance)
        return found

    def predicted(self, truth: Truth, n: int) -> Floats:
        inside = truth.transfer @ truth.basis
        second, mean = inside.T @ inside / len(inside), inside.mean(axis=0)
        diagonal = np.diag(np.diag(second))
        covariance = np.trace(second) * np.eye(mean.size) + 2.0 * (second - diagonal)
        covariance += (truth.fourth - 1.0) * diagonal - np.outer(mean, mean)
        variance = np.einsum("nr,rs,ns->n", truth.basis, covariance, truth.basis)
        found: Floats = variance / n / truth.impedance**2 + (truth.basis @ mean / truth.impedance - truth.gain) ** 2
        return found


class Mirror(Proxy):
    """Edge by edge: mean(xi_n dV_parent) over mean(xi_n dV_n), or sigma^2, and products of them along the path.

    A weight mirror (Akrout et al. 2019) of the tree. Under normal voltage noise the squared error of an edge c is
    (2 c^2 + the sum of squares of the gains to the parent of all others below it) / K, whatever the size of the rest of
    the tree. Quotients of the answers to currents are bounded as in `OwnResponse`. Every compartment passes its product
    on to its children.
    """

    name = "mirror"
    needs = "its own noise and voltage, its parent's voltage and product"
    perturbs = "free"

    def estimate(self, trial: Trial) -> Floats:
        edges, gain = self.edges(trial), np.ones(trial.layout.size)
        for n in trial.layout.child:
            gain[n] = gain[trial.layout.parent[n]] * edges[n]
        return gain

    def edges(self, trial: Trial) -> Floats:
        """Gain from every compartment to its parent, shape (N,); 1 at the root."""
        noise, answer = trial.free
        child = trial.layout.child
        parent = trial.layout.parent[child]
        heard = answer[:, parent] - noise[:, parent] if trial.voltage_noise else answer[:, parent]  # less its own noise
        found = np.ones(trial.layout.size)
        product = np.einsum("bn,bn->n", noise[:, child], heard)
        if trial.voltage_noise:
            found[child] = product / (len(noise) * trial.sigma**2)
        else:
            own = np.einsum("bn,bn->n", noise[:, child], answer[:, child])
            found[child] = _ratio(product, own, trial.passive)
        return found


def _ratio(above: Floats, below: Floats, bounded: bool = False) -> Floats:
    """Quotients, 0 where nothing has varied; between 0 and 1 if they are known to lie there."""
    found: Floats = np.divide(above, below, out=np.zeros(below.size), where=below != 0.0)
    return np.clip(found, 0.0, 1.0) if bounded else found


PROXIES: dict[str, Proxy] = {
    kind.name: kind()
    for kind in (
        Constant, LayerCorrelation, Correlation, Slope, Decorrelation, ScoreCorrelation, PathOfLayers,
        PathOfCompartments, VNC, OwnResponse, NMNC, Mirror,
    )
}  # fmt: skip
