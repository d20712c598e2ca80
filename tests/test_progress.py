"""Progress: a bar on terminals and in notebooks, nothing in logs, no complaint where there are no widgets."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from dendrosim import progress


@pytest.fixture
def kernel(monkeypatch):
    """As if this ran in the kernel of a notebook."""
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)


def test_nothing_is_shown_where_nobody_looks(capsys):
    assert progress.progress_bar(3) is None
    assert capsys.readouterr() == ("", "")


def test_a_terminal_has_a_bar_that_goes(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = progress.progress_bar(3, done=1, unit=" batches")
    assert bar is not None
    bar.update(2)
    assert "1/3" in capsys.readouterr().err
    assert not bar.leave
    bar.close()
    assert progress.progress_bar(3, show=False) is None


def test_a_notebook_without_widgets_has_a_bar_of_text(kernel, monkeypatch, capsys):
    monkeypatch.setattr(progress, "find_spec", lambda name: None)  # warnings are errors here
    bar = progress.progress_bar(3, unit=" batches")
    assert bar is not None
    bar.update(3)
    bar.close()
    out, err = capsys.readouterr()
    assert "3/3" in out
    assert err == ""
    assert progress.progress_bar(3, show=False) is None


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_program_without_a_console_shows_nothing(monkeypatch, stream):
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(progress.followed("abc", unit="", show=None)) == ["a", "b", "c"]


def test_ipython_that_is_still_being_imported_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    assert not progress.in_notebook()


def test_a_terminal_with_ipython_is_no_notebook(monkeypatch):
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert not progress.in_notebook()
    module.get_ipython = lambda: None  # type: ignore[attr-defined]
    assert not progress.in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not progress.in_notebook()
