from __future__ import annotations

import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import FFMpegWriter
from PIL import Image

import dendrosim as ds
from dendrosim.biophysics.time.trace import Trace
from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.plotting import animate_voltage


@pytest.fixture
def trace(compartments: Compartments) -> Trace:
    return ds.simulate(
        compartments, clamps=ds.Clamp(0, 300.0, start=2.0, stop=6.0), dt=0.1, duration=10.0, record="all"
    )


def test_pictures_change_with_the_voltage(tmp_path: Path, trace: Trace, compartments: Compartments) -> None:
    open_before = plt.get_fignums()
    file = animate_voltage(trace, compartments, tmp_path / "film.gif", frames=4, stop=6.0, dpi=40.0)
    assert file == tmp_path / "film.gif"
    with Image.open(file) as film:
        assert film.n_frames == 4  # type: ignore[attr-defined]
        pictures = []
        for i in range(4):
            film.seek(i)
            pictures.append(np.asarray(film.convert("RGB"), float))
    differences = [np.abs(a - b).mean() for a, b in itertools.pairwise(pictures)]
    assert differences[-1] > 3 * differences[0]  # until 2 ms there is no current, and only the clock changes
    assert plt.get_fignums() == open_before


def test_impossible_films_are_refused(
    tmp_path: Path, trace: Trace, compartments: Compartments, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ParameterError, match=r"must end in one of .gif, .mp4"):
        animate_voltage(trace, compartments, tmp_path / "film.avi")
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(ParameterError, match=r".mp4 needs ffmpeg, which is not installed: write a .gif"):
        animate_voltage(trace, compartments, tmp_path / "film.mp4")
    with pytest.raises(ParameterError, match=r"nothing was recorded between start=20 and stop=10 ms"):
        animate_voltage(trace, compartments, tmp_path / "film.gif", start=20.0)
    with pytest.raises(ParameterError, match=rf"of all {compartments.size} compartments"):
        animate_voltage(ds.simulate(compartments, duration=1.0), compartments, tmp_path / "film.gif")
    assert list(tmp_path.iterdir()) == []
    assert plt.get_fignums() == []
