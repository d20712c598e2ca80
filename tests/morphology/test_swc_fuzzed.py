"""Texts that fuzzing found."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MorphologyError


def test_half_a_character_is_refused():
    with pytest.raises(MorphologyError, match=r"line 2 holds .* half a character"):
        ds.Morphology.from_swc("1 1 0 0 0 5 -1\n# \udcff\n2 3 6 0 0 1 1\n")


def test_control_characters_in_a_comment_survive_saving(tmp_path):
    cell = ds.Morphology.from_swc("# " + "\x01" * 60 + "\n1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n")
    cell.save(tmp_path / "copy.swc")
    again = ds.Morphology.load(tmp_path / "copy.swc")
    np.testing.assert_array_equal(again.samples.xyz, cell.samples.xyz)
    assert again.samples.comments == cell.samples.comments


def test_a_file_of_control_characters_is_no_text(tmp_path):
    path = tmp_path / "cell.swc"
    path.write_bytes(bytes(range(32)) * 100)
    with pytest.raises(MorphologyError, match="not a text file"):
        ds.Morphology.load(path)
