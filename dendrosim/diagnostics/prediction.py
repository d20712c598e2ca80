"""How close a broadcast of the soma's error comes to the exact gradient, from a cell's shape alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import flag, numbers
from ..biophysics.placement import WEIGHTS, in_regions
from ..biophysics.steady import steady_state
from ..errors import ParameterError, choose
from ..morphology.compartments import Compartments, compartments_given

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictedFidelity:
    """What the shape of a cell says about a local rule; made by `predicted_fidelity`.

    Attributes
    ----------
    cosine : float
        Between the local and the exact gradient of synapses; ``1 / sqrt(1 + cv**2)``.
    cv : float
        Coefficient of variation of the exact over the local factor of the compartments, weighted by the energy of the
        local gradient.
    scale : float
        log10 of the length of the local gradient over that of the exact one.
    relative_l2 : float
        ``|local - exact| / |exact|``.
    gain : float array of shape (N,)
        Path gain dV_soma/dV_n at rest.
    resistance : float array of shape (N,)
        Input resistance at rest, GOhm (units of 1 / leak in normalised trees).
    weight : float array of shape (N,)
        Share of the energy of the local gradient that is expected at each compartment; sums to 1.
    """

    cosine: float
    cv: float
    scale: float
    relative_l2: float
    gain: Floats
    resistance: Floats
    weight: Floats

    def __str__(self) -> str:
        return (
            f"predicted cosine {self.cosine:.3f} (CV {self.cv:.3f}), log10 of the lengths {self.scale:+.3f}, "
            f"relative L2 {self.relative_l2:.3f}; {self.gain.size} compartments"
        )


def predicted_fidelity(
    compartments: Compartments,
    *,
    direction: str = "reciprocal",
    density: str | ArrayLike = "length",
    input_resistance: bool = True,
) -> PredictedFidelity:
    r"""Fidelity of a local rule on a single neuron, predicted without stimuli.

    The exact gradient of a synapse on compartment n is that of the three-factor rule times the path gain A_n, the
    change of the soma's voltage per change of V_n. Where gains do not depend on the stimulus, the cosine between the
    two is

    .. math:: \cos = \frac{\sum_n w_n A_n}{\sqrt{\sum_n w_n \sum_n w_n A_n^2}} = \frac{1}{\sqrt{1 + \mathrm{CV}_w^2}}

    with the energy of the local gradient at each compartment for the weights w_n. That much is exact. The prediction
    takes gains and input resistances R_n at rest, and equal driving forces everywhere, so that
    :math:`w_n = \rho_n R_n^2` with the density of synapses :math:`\rho_n`.

    Parameters
    ----------
    compartments : Compartments
        One cell. Give it the mean load of its synapses, if that is known: ``compartments.with_(leak=...)``.
    direction : {"reciprocal", "directed"}, default "reciprocal"
        As for `steady_state`.
    density : {"length", "area"} or float array of shape (N,), default "length"
        Synapses per compartment, in any unit: proportional to length or area of the dendrite, as
        ``Synapses.scatter(by=...)`` puts them (in normalised units every compartment has as many), or as given. Squared
        presynaptic activities and driving forces, where they differ, are factors of it.
    input_resistance : bool, default True
        Whether the rule has the factor R_n in its eligibility, as the three-factor rule does. Without it the local
        factor is 1 and the exact one the transfer resistance A_n R_n.

    Returns
    -------
    PredictedFidelity

    Raises
    ------
    ParameterError
        If there is more than one cell, an option is unknown, or a density is impossible.

    Notes
    -----
    Along a semi-infinite cable A = exp(-X) at the electrotonic distance X; with equal energies from 0 to L that gives
    :math:`\cos = \sqrt{\tanh(L/2) / (L/2)}`. By reciprocity :math:`A_n R_n = Z_{n0} = Z_{0n}`, what a current at the
    soma makes of the voltage at n: it varies less than A_n, as the way out attenuates less than the way in.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Morphology.load("pyramidal_l5").prune(region="axon").compartments(ds.Passive(), d_lambda=0.1)
    >>> found = ds.diagnostics.predicted_fidelity(cell)
    >>> other = ds.diagnostics.predicted_fidelity(cell, input_resistance=False)
    >>> bool(found.cosine < other.cosine < 1.0)
    True
    """
    compartments_given("compartments", compartments)
    if compartments.n_cells != 1:
        raise ParameterError(f"the prediction is of one cell at a time; these are {compartments.n_cells} cells")
    spread = _density(compartments, density)
    state = steady_state(compartments, direction=direction)
    gain, resistance = state.attenuation_to_soma[0], state.input_resistance[0]
    local = resistance if flag("input_resistance", input_resistance) else np.ones_like(resistance)
    exact = gain * resistance
    energy = spread * local**2
    weight = energy / energy.sum()
    ratio = exact / local
    mean, square = float(weight @ ratio), float(weight @ ratio**2)
    if not square > 0.0:
        raise ParameterError("density puts all synapses where nothing reaches the soma: there is no exact gradient")
    variance = max(float(weight @ (ratio - mean) ** 2), 0.0)
    cv = float(np.sqrt(variance)) / mean
    return PredictedFidelity(
        cosine=1.0 / float(np.sqrt(1.0 + cv * cv)),
        cv=cv,
        scale=-0.5 * float(np.log10(square)),
        relative_l2=float(np.sqrt(weight @ (1.0 - ratio) ** 2 / square)),
        gain=gain,
        resistance=resistance,
        weight=weight,
    )


def _density(compartments: Compartments, density: str | ArrayLike) -> Floats:
    """Synapses per compartment, shape (N,), in any unit."""
    if isinstance(density, str):
        choose("density", density, WEIGHTS)
        dendrite = in_regions(compartments, None).astype(np.float64)
        if not compartments.physical:
            return dendrite
        return dendrite * (compartments.area > 0) * (compartments.area if density == "area" else compartments.length)
    given = numbers("density", density).astype(np.float64)
    if given.shape != (compartments.size,):
        raise ParameterError(f"density has shape {given.shape}; expected ({compartments.size},), one per compartment")
    if not (np.isfinite(given).all() and (given >= 0).all() and given.any()):
        raise ParameterError("density must be finite and not negative, and positive somewhere")
    return given
