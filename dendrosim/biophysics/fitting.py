"""Fit of passive membrane parameters to measured input resistances and attenuations, with exact gradients."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, mapping, names, number, numbers, short
from ..errors import FitWarning, ParameterError, choose
from ..membrane import Passive
from .impedance import transfer_resistance
from .steady import steady_state

if TYPE_CHECKING:
    from ..morphology.tree import Morphology

_BOUNDS = {"R_m": (100.0, 1e6), "R_a": (1.0, 1e4)}
_UNITS = {"R_m": "ohm cm2", "R_a": "ohm cm"}
_AT_BOUND = 1e-6
"""Distance from a bound, relative, that counts as at it; the optimiser stays inside."""
_POLICY = ("max_length", "d_lambda", "frequency", "minimum_radius")
_MEGA = 1e3  # MOhm per GOhm (mV / pA)


@dataclass(frozen=True)
class InputResistance:
    """A measured input resistance.

    Parameters
    ----------
    at : int or "soma"
        Sample identifier where current goes in and voltage is read.
    value : float
        In MOhm.
    deviation : float, optional
        Standard deviation of the measurement in MOhm. Give it for all targets or for none.
    """

    at: int | str
    value: float
    deviation: float | None = None


@dataclass(frozen=True)
class Attenuation:
    """A measured steady attenuation: voltage change at `stop` over that at `start`, where current goes in.

    Parameters
    ----------
    start, stop : int or "soma"
        Sample identifiers.
    value : float
        Between 0 and 1.
    deviation : float, optional
        Standard deviation of the measurement. Give it for all targets or for none.
    """

    start: int | str
    stop: int | str
    value: float
    deviation: float | None = None


Target = InputResistance | Attenuation


@dataclass(frozen=True, eq=False)
class PassiveFit:
    """What a fit found.

    Attributes
    ----------
    passive : Passive
        The fitted membrane.
    free : tuple of str
        Names of the fitted parameters.
    covariance : float array of shape (n_free, n_free)
        Of the natural logarithms of the parameters, linearised at the optimum: from the deviations of the targets where
        they have any, otherwise from the scatter of the residuals (NaN without a target to spare). Infinite where the
        targets do not determine the parameters.
    predicted : float array of shape (n_targets,)
        What the fitted cell gives: MOhm for input resistances, attenuations as they are.
    residuals : float array of shape (n_targets,)
        (predicted - measured) / deviation, or / measured where no deviations are given.
    n_evaluations : int
        How often the cell was solved.
    message : str
        Why the optimiser stopped.
    """

    passive: Passive
    free: tuple[str, ...]
    covariance: NDArray[np.float64]
    predicted: NDArray[np.float64]
    residuals: NDArray[np.float64]
    n_evaluations: int
    message: str

    @property
    def standard_error(self) -> Mapping[str, float]:
        """Standard error of each fitted parameter, in its own unit."""
        errors = np.sqrt(np.diag(self.covariance))
        pairs = zip(self.free, errors.tolist(), strict=True)
        return MappingProxyType({name: getattr(self.passive, name) * error for name, error in pairs})

    def __str__(self) -> str:
        found = [
            f"{name} = {getattr(self.passive, name):.6g} +- {error:.2g} {_UNITS[name]}"
            for name, error in self.standard_error.items()
        ]
        rms = float(np.sqrt(np.mean(self.residuals**2)))
        counts = f"{self.residuals.size} targets, {self.n_evaluations} evaluations"
        text = f"{'; '.join(found)}; rms residual {rms:.3g} over {counts}"
        if np.isnan(self.covariance).any():
            text += (
                "\nno standard errors (nan): as many targets as parameters leave no scatter to judge them by; "
                "measure more, or give every target a deviation"
            )
        elif np.isinf(self.covariance).any():
            text += "\nno standard errors (inf): the targets do not determine the parameters; measure elsewhere too"
        return text


class PassiveModel:
    """What a cell predicts for each target, as a function of R_m and R_a, with the exact derivatives.

    A column z_i of the inverse of the conductance matrix G is the voltage change for unit current at i. Leaks scale as
    1 / R_m and couplings as 1 / R_a, and dZ_ij / dG = -z_i z_j^T, so that::

        dZ_ij / dlog R_m = sum_n leak_n z_i[n] z_j[n]
        dZ_ij / dlog R_a = sum_n coupling_n (z_i[n] - z_i[parent n]) (z_j[n] - z_j[parent n])

    The two add up to Z_ij, because scaling all resistances scales every Z.

    Parameters
    ----------
    morphology : Morphology
        The cell.
    targets : sequence of InputResistance and Attenuation
        What was measured.
    passive : Passive, optional
        Gives everything that is not fitted, and the membrane for which the grid is made.
    **policy
        As for `Morphology.compartments`; ``d_lambda=0.1`` by default. The grid stays the same throughout a fit.

    Raises
    ------
    ParameterError
        If a target is impossible.
    MorphologyError
        If a target names a sample that does not exist.
    """

    def __init__(
        self, morphology: Morphology, targets: Sequence[Target], passive: Passive | None = None, **policy: Any
    ) -> None:
        from ..morphology.tree import Morphology

        instance("morphology", morphology, Morphology, "such as ds.Morphology.load('pyramidal_l5')")
        self.passive = Passive() if passive is None else instance("start", passive, Passive, "ds.Passive(...)")
        self.targets = _targets(targets)
        for name in policy:
            choose("policy", name, _POLICY)
        if not {"max_length", "d_lambda"} & policy.keys():
            policy["d_lambda"] = 0.1
        self.compartments = morphology.compartments(self.passive, **policy)
        places = [self._places(target, i) for i, target in enumerate(self.targets)]
        used, index = np.unique(np.array(places, dtype=np.int64).ravel(), return_inverse=True)
        self._used, self._pairs = used, index.reshape(-1, 2)
        self.measured = np.array([target.value for target in self.targets], dtype=np.float64)
        given = [target.deviation for target in self.targets]
        self.has_deviations = any(deviation is not None for deviation in given)
        if self.has_deviations and None in given:
            raise ParameterError(
                f"targets[{given.index(None)}] has no deviation, others have: give it for all or for none"
            )
        self.deviation = np.array(given, dtype=np.float64) if self.has_deviations else self.measured

    def _places(self, target: Target, index: int) -> tuple[int, int]:
        if not isinstance(target, InputResistance | Attenuation):
            raise ParameterError(f"targets[{index}]={target!r} must be an InputResistance or an Attenuation")
        attenuation = isinstance(target, Attenuation)
        unit = "" if attenuation else "MOhm"
        number(f"targets[{index}]: value", target.value, above=0, most=1 if attenuation else None, unit=unit)
        if target.deviation is not None:
            number(f"targets[{index}]: deviation", target.deviation, above=0, unit=unit)
        ends = (target.start, target.stop) if isinstance(target, Attenuation) else (target.at, target.at)
        return self._place(ends[0], index), self._place(ends[1], index)

    def _place(self, where: int | str, index: int) -> int:
        if isinstance(where, str):
            choose(f"targets[{index}]: place", where, ("soma",))
            return int(self.compartments.roots[0])
        return int(self.compartments.of_sample(where))

    def predict(self, R_m: float, R_a: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predicted values and their derivatives.

        Parameters
        ----------
        R_m : float
            Specific membrane resistance, ohm cm2.
        R_a : float
            Axial resistivity, ohm cm.

        Returns
        -------
        values : float array of shape (n_targets,)
            MOhm for input resistances; attenuations as they are.
        jacobian : float array of shape (n_targets, 2)
            Derivatives of the values with respect to log R_m and log R_a.
        """
        cell = self.compartments.with_(
            leak=self.compartments.leak * (self.passive.R_m / R_m),
            coupling=self.compartments.coupling * (self.passive.R_a / R_a),
        )
        z = transfer_resistance(steady_state(cell), self._used, np.arange(cell.size))[0]
        parent = np.where(cell.parent < 0, np.arange(cell.size), cell.parent)
        step = z - z[:, parent]
        first, second = self._pairs.T
        value = z[first, self._used[second]]
        slope = np.empty((value.size, 2))
        slope[:, 0] = np.einsum("tn,tn,n->t", z[first], z[second], cell.leak)
        slope[:, 1] = np.einsum("tn,tn,n->t", step[first], step[second], cell.coupling)
        ratio = np.array([isinstance(target, Attenuation) for target in self.targets])
        own = z[first, self._used[first]]
        own_slope = np.empty_like(slope)
        own_slope[:, 0] = np.einsum("tn,tn,n->t", z[first], z[first], cell.leak)
        own_slope[:, 1] = np.einsum("tn,tn,n->t", step[first], step[first], cell.coupling)
        values = np.where(ratio, value / own, value * _MEGA)
        quotient = (slope - (value / own)[:, None] * own_slope) / own[:, None]
        return values, np.where(ratio[:, None], quotient, slope * _MEGA)


def fit_passive(
    morphology: Morphology,
    targets: Sequence[Target],
    *,
    start: Passive | None = None,
    free: Sequence[str] = ("R_m", "R_a"),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    **policy: Any,
) -> PassiveFit:
    """Fit R_m and R_a of a cell to measured input resistances and steady attenuations.

    Nonlinear least squares in the logarithms of the parameters (they stay positive, and the problem is well scaled),
    with the exact Jacobian of the compartment model (`PassiveModel`). C_m cannot be fitted: steady states do not depend
    on it.

    Parameters
    ----------
    morphology : Morphology
        The cell.
    targets : sequence of InputResistance and Attenuation
        What was measured, and where.
    start : Passive, optional
        Where the search starts; gives everything that is not fitted, spines included.
    free : sequence of str, default ("R_m", "R_a")
        What is fitted.
    bounds : mapping of str to (float, float), optional
        Least and greatest value. By default 100 to 1e6 ohm cm2 and 1 to 1e4 ohm cm.
    **policy
        As for `Morphology.compartments`; ``d_lambda=0.1`` by default. The grid is made once, for `start`.

    Returns
    -------
    PassiveFit

    Raises
    ------
    ParameterError
        If a parameter cannot be fitted, there are fewer targets than parameters, or a target or a bound is impossible.

    Warns
    -----
    FitWarning
        If a parameter ends at its bound: the targets, their units or the morphology do not go together.

    See Also
    --------
    PassiveModel : the predictions and their derivatives alone.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Morphology.load("ball_and_stick")
    >>> tip = int(cell.samples.id[-1])
    >>> fit = ds.fit_passive(cell, [ds.InputResistance("soma", 150.0), ds.Attenuation(tip, "soma", 0.5)])
    >>> [round(float(value), 6) for value in fit.predicted]
    [150.0, 0.5]
    """
    from scipy.optimize import least_squares

    free = names("free", free)
    for name in free:
        if name == "C_m":
            raise ParameterError(
                "free='C_m': steady states do not depend on the capacitance, so it cannot be fitted to them"
            )
        choose("free", name, _BOUNDS)
    if not free or len(set(free)) < len(free):
        raise ParameterError(f"free={tuple(free)!r} must name each parameter to fit once; valid: 'R_m', 'R_a'")
    targets = _targets(targets)
    if len(targets) < len(free):
        raise ParameterError(
            f"{len(targets)} targets cannot determine {len(free)} parameters ({', '.join(free)}): measure more"
        )
    limits = dict(_BOUNDS)
    hint = "such as {'R_m': (1e3, 1e5)}"
    for name, pair in mapping("bounds", {} if bounds is None else bounds, hint).items():
        choose("bounds", name, _BOUNDS)
        ends = numbers(f"bounds[{name!r}]", pair)
        if ends.shape != (2,):
            raise ParameterError(f"bounds[{name!r}]={short(pair)} must be (least, greatest)")
        low, high = (number(f"bounds[{name!r}]", limit) for limit in ends)
        if not 0 < low < high:
            raise ParameterError(f"bounds[{name!r}]={(low, high)!r} must be 0 < least < greatest")
        limits[name] = (low, high)
    model = PassiveModel(morphology, targets, start, **policy)
    begin = np.array([getattr(model.passive, name) for name in free], dtype=np.float64)
    low, high = np.array([limits[name] for name in free]).T
    if not ((low <= begin) & (begin <= high)).all():
        raise ParameterError(f"start has {dict(zip(free, begin.tolist(), strict=True))!r} outside bounds {limits!r}")
    columns = [("R_m", "R_a").index(name) for name in free]
    solved: dict[bytes, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def evaluate(log: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        key = log.tobytes()
        if key not in solved:
            values = {"R_m": model.passive.R_m, "R_a": model.passive.R_a}
            values |= dict(zip(free, np.exp(log).tolist(), strict=True))
            solved[key] = model.predict(**values)
        return solved[key]

    result = least_squares(
        lambda log: (evaluate(log)[0] - model.measured) / model.deviation,
        np.log(begin),
        lambda log: evaluate(log)[1][:, columns] / model.deviation[:, None],
        bounds=(np.log(low), np.log(high)),
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )
    fitted = dict(zip(free, np.exp(result.x).tolist(), strict=True))
    _warn_at_bounds(fitted, limits, model)
    return PassiveFit(
        passive=dataclasses.replace(model.passive, **fitted),
        free=tuple(free),
        covariance=_covariance(result.jac, result.fun, model.has_deviations),
        predicted=evaluate(result.x)[0],
        residuals=result.fun,
        n_evaluations=len(solved),
        message=result.message,
    )


def _warn_at_bounds(
    fitted: Mapping[str, float], limits: Mapping[str, tuple[float, float]], model: PassiveModel
) -> None:
    """Warn of parameters that ended at a bound, and say what may be the matter."""
    ends = ("least", "greatest")
    found = [
        f"{name} = {value:.6g} ended at its {end} value, {bound:g} {_UNITS[name]}"
        for name, value in fitted.items()
        for end, bound in zip(ends, limits[name], strict=True)
        if abs(math.log(value / bound)) < _AT_BOUND
    ]
    if not found:
        return
    hint = "check the targets' places and units (MOhm), the morphology's unit (um), or give wider bounds="
    resistances = [target.value for target in model.targets if isinstance(target, InputResistance)]
    if resistances and max(resistances) < 1.0:
        hint = (
            f"no input resistance is above {max(resistances):g} MOhm, which is little for a neuron: are they in GOhm? "
            "InputResistance takes MOhm, 1000 times the number"
        )
    elif resistances and min(resistances) > 1e4:
        hint = f"no input resistance is below {min(resistances):g} MOhm, which is much: InputResistance takes MOhm"
    warnings.warn(f"{'; '.join(found)}: {hint}", FitWarning, stacklevel=3)


def _targets(targets: Sequence[Target]) -> tuple[Target, ...]:
    if isinstance(targets, InputResistance | Attenuation) or not isinstance(targets, Sequence):
        raise ParameterError(f"targets={short(targets)} must be a list of InputResistance and Attenuation")
    return tuple(targets)


def _covariance(jacobian: NDArray[np.float64], residuals: NDArray[np.float64], absolute: bool) -> NDArray[np.float64]:
    """(J^T J)^-1, times the variance of the residuals unless they are in units of known deviations."""
    m, k = jacobian.shape
    if np.linalg.matrix_rank(jacobian) < k:
        return np.full((k, k), np.inf)
    variance = 1.0
    if not absolute:
        variance = float(residuals @ residuals) / (m - k) if m > k else math.nan
    return np.asarray(variance * np.linalg.inv(jacobian.T @ jacobian), dtype=np.float64)
