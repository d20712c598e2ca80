"""HTML from Python: what is escaped, and what is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dendrosim.plotting.audit_page_cells import cell, shown
from dendrosim.plotting.markup import Band, Column, Markup, Table, fragment, json_script, plain, tag

from .parsed import cells, parse


def test_text_is_escaped_and_markup_is_not():
    assert tag("p", "<b>", tag("i", '"&')) == "<p>&lt;b&gt;<i>&quot;&amp;</i></p>"
    assert fragment(["a", None, ["<"]]) == "a&lt;"


def test_markup_put_together_with_text_is_text_again():
    assert tag("p", Markup("<i>") + "<b>") == "<p>&lt;i&gt;&lt;b&gt;</p>"


def test_attributes():
    made = tag("img", alt='"<', class_="a", data_x=1, hidden=True, open=False, id=None)
    assert made == '<img alt="&quot;&lt;" class="a" data-x="1" hidden>'


def test_json_in_a_script_cannot_end_it():
    made = json_script({"name": "</script><!-- & \u2028", "x": [np.float64("nan"), float("-inf"), np.int64(3)]}, "data")
    assert made.count("<") == 2
    assert "&" not in made
    script = parse(made).one("script")
    assert json.loads(script.text) == {"name": "</script><!-- & \u2028", "x": ["nan", "-inf", 3]}


def test_plain_values_of_arrays():
    assert plain({1: np.array([[1.5, np.inf]]), "b": (True, None)}) == {"1": [[1.5, "inf"]], "b": [True, None]}


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.5, ".4f", "0.5000"),
        (-0.5, "+.2f", "−0.50"),
        (1.0, "#.4g", "1.000"),
        (1355.2, "#.4g", "1355"),
        (63980.0, "#.4g", "6.398e4"),
        (1.031e-4, "#.4g", "1.031e−4"),
        (8.6341e-9, "#.3g", "8.63e−9"),
        (0.0, "#.4g", "0.000"),
        (float("nan"), ".4f", "n/a"),
        (float("inf"), ".4f", "∞"),
    ],
)
def test_numbers_as_they_are_shown(value, form, text):
    assert shown(value, form) == text


def test_a_number_in_a_table_is_exact_to_a_machine():
    assert cell(1 / 3) == '<data value="0.3333333333333333">0.3333</data>'
    assert "flagged" in cell(60.0, flagged=True)
    assert cell(float("nan")) == "n/a"


def test_groups_of_columns_and_rows_span_what_they_head():
    columns = [Column("a", numeric=False), Column("b", "x"), Column("c", "x"), Column("d", "y")]
    table = Table("t", columns, [Band("first"), ["r", "1", "2", "3"], Band("second"), ["s", "4", "5", "6"]])
    page = parse(table.html())
    above = next(page.one("thead").every("tr"))
    assert [(one.text, one.attributes.get("colspan")) for one in above.content] == [("", "1"), ("x", "2"), ("y", "1")]
    assert [one.text for one in page.every("th", scope="rowgroup")] == ["first", "second"]
    assert [[one.text for one in row] for row in cells(page)] == [["r", "1", "2", "3"], ["s", "4", "5", "6"]]
    assert len(list(page.every("tbody"))) == 2
