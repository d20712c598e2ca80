from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm, Normalize

from dendrosim.errors import ParameterError
from dendrosim.plotting.styling import DIVERGING, SEQUENTIAL
from dendrosim.plotting.values import checked_values, color_scale, label_with_unit


def test_good_values_come_back_as_floats() -> None:
    values = checked_values([1, 2, 3], 3, "compartment")
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [1, 2, 3])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], r"values has shape \(2,\); expected shape \(3,\), one finite number per compartment"),
        (1.0, r"values has shape \(\); expected shape \(3,\)"),
        (np.zeros((5, 3)), r"values has shape \(5, 3\); .*choose one row, values\[0\], or average"),
        ([1.0, np.nan, np.nan], r"values\[1\] is nan \(2 of 3 are not finite\); expected shape \(3,\)"),
        ([1.0, 2.0, np.inf], r"values\[2\] is inf \(1 of 3 are not finite\)"),
        (["a", "b", "c"], r"values=.* has dtype <U1; expected real numbers"),
        ([1j, 2j, 3j], r"values=.* has dtype complex128"),
    ],
)
def test_bad_values_are_named(values: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        checked_values(values, 3, "compartment")  # type: ignore[arg-type]


def test_limits_are_the_extremes() -> None:
    scale = color_scale(np.array([-1.0, 3.0]))
    assert (scale.norm.vmin, scale.norm.vmax, scale.extend, scale.note) == (-1.0, 3.0, "neither", "")
    assert scale.cmap is SEQUENTIAL


def test_center_makes_it_symmetric_and_diverging() -> None:
    scale = color_scale(np.array([-1.0, 3.0]), center=0.0)
    assert (scale.norm.vmin, scale.norm.vmax) == (-3.0, 3.0)
    assert scale.cmap is DIVERGING
    assert color_scale(np.array([-75.0, -68.0]), center=-70.0).norm.vmin == -75.0


def test_center_with_a_limit_keeps_the_symmetry() -> None:
    scale = color_scale(np.array([-1.0, 3.0]), center=0.0, vmax=2.0)
    assert (scale.norm.vmin, scale.norm.vmax, scale.extend) == (-2.0, 2.0, "max")


def test_percentile_clips_and_says_so() -> None:
    values = np.concatenate([np.linspace(-1, 1, 201), [50.0]])
    scale = color_scale(values, center=0.0, percentile=98.0)
    assert scale.norm.vmax == np.percentile(np.abs(values), 98)
    assert scale.extend == "both"
    assert scale.note == "clipped at percentile 98"


def test_percentile_that_clips_nothing_says_nothing() -> None:
    assert color_scale(np.array([-1.0, 1.0]), center=0.0, percentile=100.0).note == ""


def test_percentile_of_a_sparse_gradient_falls_back_to_the_largest() -> None:
    values = np.zeros(1000)
    values[3] = -2.0
    assert color_scale(values, center=0.0, percentile=98.0).norm.vmax == 2.0


def test_percentile_without_center_clips_both_tails() -> None:
    scale = color_scale(np.arange(101.0), percentile=90.0)
    assert (scale.norm.vmin, scale.norm.vmax, scale.extend) == (10.0, 90.0, "both")


def test_given_limits_and_arrows() -> None:
    values = np.array([-2.0, 2.0])
    assert color_scale(values, vmin=-1.0).extend == "min"
    assert color_scale(values, vmax=1.0).extend == "max"
    assert color_scale(values, vmin=-1.0, vmax=1.0).extend == "both"


@pytest.mark.parametrize("values", [[], [0.0], [-70.0, -70.0], [1e-300]])
@pytest.mark.parametrize("center", [None, 0.0])
def test_constant_and_absent_values_have_a_scale(values: list[float], center: float | None) -> None:
    norm = color_scale(np.array(values), center=center).norm
    assert norm.vmin is not None
    assert norm.vmax is not None
    assert norm.vmin < norm.vmax


def test_values_all_beyond_a_limit_keep_that_limit() -> None:
    scale = color_scale(np.array([5.0, 6.0]), vmax=1.0)
    assert scale.norm.vmax == 1.0
    assert scale.extend == "max"


def test_a_norm_is_used_as_it_is() -> None:
    norm = LogNorm(1.0, 10.0)
    scale = color_scale(np.array([0.5, 20.0]), norm=norm, cmap="cividis")
    assert scale.norm is norm
    assert scale.cmap.name == "cividis"
    assert scale.extend == "both"


def test_an_open_norm_is_fitted() -> None:
    assert color_scale(np.array([2.0, 4.0]), norm=Normalize()).norm.vmax == 4.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": Normalize(), "vmin": 0.0, "center": 1.0}, "norm excludes vmin, center"),
        ({"percentile": 98.0, "vmax": 1.0}, "percentile excludes vmin and vmax"),
        ({"percentile": 0.98}, r"percentile=0.98 must be above 50 and at most 100"),
        ({"vmin": 2.0, "vmax": 1.0}, r"vmin=2.0 must be below vmax=1.0"),
        ({"cmap": "virids"}, "cmap='virids' is not a colour map of matplotlib; such are 'viridis'"),
    ],
)
def test_bad_scales_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        color_scale(np.array([0.0, 1.0]), **options)  # type: ignore[arg-type]


def test_colour_bar_carries_label_unit_and_note() -> None:
    _, ax = plt.subplots()
    values = np.concatenate([np.linspace(-1, 1, 201), [50.0]])
    color_scale(values, center=0.0, percentile=98.0).add_colorbar(ax, "dL/dV", "1/mV")
    assert ax.figure.axes[1].get_ylabel() == "dL/dV (1/mV)\nclipped at percentile 98"


def test_labels() -> None:
    assert label_with_unit("V", "mV") == "V (mV)"
    assert label_with_unit("V", None) == "V"
    assert label_with_unit(None, "mV") == "mV"
    assert label_with_unit(None, None) == ""
