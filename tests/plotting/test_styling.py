from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import Colormap, to_rgb
from numpy.typing import NDArray

from dendrosim.plotting import region_color, style
from dendrosim.plotting.styling import DIVERGING, SEQUENTIAL, canvas, sort_regions

# Machado, Oliveira & Fernandes 2009, severity 1: how linear RGB is seen without the first, second, third kind of cone
DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of linear sRGB, D65."""
    xyz = linear_rgb @ np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
    t = np.clip(xyz / [0.9505, 1.0, 1.089], 0, None)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def lightness(cmap: Colormap) -> NDArray[np.float64]:
    return lab(linear(cmap(np.linspace(0, 1, 101))[:, :3]))[:, 0]


def test_style_is_local() -> None:
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["font.size"] == 8.0
        assert not mpl.rcParams["axes.spines.top"]
    assert dict(mpl.rcParams) == before


def test_style_is_left_when_a_block_fails() -> None:
    before = mpl.rcParams["font.size"]
    with pytest.raises(RuntimeError), style():
        raise RuntimeError
    assert mpl.rcParams["font.size"] == before


def test_canvas_hands_back_given_axes_and_makes_no_figure() -> None:
    _, ax = plt.subplots()
    with canvas(ax, aspect=1.0) as same:
        assert same is ax
    assert len(plt.get_fignums()) == 1


def test_a_new_figure_is_one_column_wide_and_of_sane_height() -> None:
    for aspect, height in ((1.0, 85.0), (0.01, 40.0), (9.0, 130.0)):
        with canvas(None, aspect=aspect) as ax:
            size = ax.figure.get_size_inches()  # type: ignore[union-attr]
            assert [round(25.4 * side, 6) for side in size] == [85.0, height]


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
def test_regions_can_be_told_apart_by_every_reader(deficiency: str | None) -> None:
    colors = linear(np.array([to_rgb(region_color(name)) for name in ("soma", "basal", "apical", "axon")]))
    if deficiency is not None:
        colors = np.clip(colors @ np.array(DEFICIENCIES[deficiency]).T, 0, 1)
    seen = lab(colors)
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(4, 1)]
    # 2.3 is a just noticeable difference of CIE76 for adjacent patches; lines far apart need several times that
    assert distance.min() > 15


def test_custom_regions_have_stable_colours_of_their_own() -> None:
    colors = [region_color(f"custom_{kind}") for kind in (5, 6, 7, 8)]
    assert len({*colors, *map(region_color, ("soma", "basal", "apical", "axon", "undefined"))}) == 9
    assert region_color("tuft") == region_color("tuft")


def test_regions_are_sorted_as_in_legends() -> None:
    assert sort_regions(["axon", "custom_5", "soma", "apical", "basal", "axon"]) == [
        "soma",
        "basal",
        "apical",
        "axon",
        "custom_5",
    ]


def test_sequential_map_gets_lighter_throughout_and_never_white() -> None:
    light = lightness(SEQUENTIAL)
    assert np.all(np.diff(light) > 0)
    assert light[-1] < 87


def test_diverging_map_is_lightest_in_the_middle_symmetric_and_never_white() -> None:
    light = lightness(DIVERGING)
    assert np.all(np.diff(light[:51]) > 0)
    assert np.all(np.diff(light[50:]) < 0)
    assert light[50] < 82
    # equal magnitudes of either sign look equally strong
    np.testing.assert_allclose(light, light[::-1], atol=6)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_both_signs_of_the_diverging_map_differ_for_every_reader(deficiency: str) -> None:
    matrix = np.array(DEFICIENCIES[deficiency]).T
    low, high = (lab(np.clip(linear(np.array(DIVERGING(x)[:3])) @ matrix, 0, 1)) for x in (0.2, 0.8))
    assert np.linalg.norm(low - high) > 30
