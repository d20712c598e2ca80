"""Progress bars: on terminals and in notebooks, nowhere else unless asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from importlib.util import find_spec
from typing import Any, TypeVar

Item = TypeVar("Item")


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook; a terminal with IPython is none."""
    module = sys.modules.get("IPython")  # a kernel has imported it
    shell = getattr(module, "get_ipython", lambda: None)()  # None while it is still being imported
    return getattr(shell, "kernel", None) is not None


def progress_bar(total: int | None, *, done: int = 0, unit: str = "", show: bool | None = None) -> Any | None:
    """A bar with rate and time left, or None where none is to be shown.

    On terminals it goes when it is closed; in notebooks it stays, as the record of how long a cell took. A notebook
    without ipywidgets gets a bar of text.

    Parameters
    ----------
    total, done : int
        How much there is to do, None if nobody knows; and how much was done before.
    unit : str
        What is counted.
    show : bool, optional
        Whether to show it; by default on a terminal and in a notebook.
    """
    notebook = in_notebook()
    if not (show if show is not None else notebook or _on_terminal()):
        return None
    options: dict[str, Any] = {"total": total, "initial": done, "unit": unit, "dynamic_ncols": True}
    if notebook and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as widget

        return widget(**options)
    from tqdm import tqdm

    if notebook:  # standard error has the colour of a failure there
        return tqdm(**{**options, "dynamic_ncols": False, "ncols": 90, "file": sys.stdout})
    return tqdm(**options, leave=False)


def _on_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()  # programs without a console have none, or a closed one
    except ValueError:
        return False


def followed(items: Iterable[Item], *, unit: str, show: bool | None) -> Iterator[Item]:
    """The items one after the other, with a bar that counts those that are done; shown as `progress_bar` does."""
    bar = progress_bar(len(items) if isinstance(items, Sized) else None, unit=unit, show=show)
    try:
        for item in items:
            yield item
            if bar is not None:
                bar.update()
    finally:
        if bar is not None:
            bar.close()
