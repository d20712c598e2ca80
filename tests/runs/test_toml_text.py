"""Experiment files of strangers: one error, and no loop without end."""

from __future__ import annotations

import pytest

from dendrosim.errors import ParameterError
from dendrosim.runs.experiment import Experiment

BASE = '[task]\nname = "digits"\n[network]\ncells = [5]\n'
TEXTS = {
    "deep lists": ("description = " + "[" * 2000 + "]" * 2000, "deep"),
    "deep keys": ("a." * 900 + "b = 1", "deep"),
    "long numbers": ("seeds = [" + "9" * 5000 + "]", "no TOML file"),
    "many combinations": (BASE + "[cross]\n" + "".join(f"training.x{i} = [1, 2, 3, 4]\n" for i in range(40)), "combin"),
    "many draws": (BASE + "[draw]\nn = 10000000000\ntraining.epochs = { integers = [1, 9] }\n", "combinations"),
    "large integers": (BASE + f"[draw]\nn = 2\ntraining.epochs = {{ integers = [1, 1{'0' * 400}] }}\n", "between"),
    "a home of nobody": ('experiment = "~nobody-of-this-name"', "neither a shipped name nor a file"),
    "a device": ('experiment = "/dev/zero"', "neither|folder|file"),
    "a name with NUL": ('experiment = "a\\u0000b"', "no path"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_refused(case, tmp_path):
    text, message = TEXTS[case]
    path = tmp_path / "e.toml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=message) as caught:
        Experiment.load(path)
    assert len(str(caught.value)) < 1200


@pytest.mark.parametrize("text", ["a." * 50 + "b=1", "training.epochs=3\nx = 2", "a=" + "[" * 3000])
def test_settings_are_one_value_of_a_short_key(text):
    with pytest.raises(ParameterError, match="--set"):
        Experiment.load("digits", settings=[text])
