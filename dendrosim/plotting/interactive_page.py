"""An interactive figure as an HTML page for screens of all sizes."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from ..arguments import instance
from ..arguments import path as path_given
from ..errors import choose
from ..hdf5 import folder_for, replacing
from .interactive_3d import plotly_objects

_BUTTONS = [["toImage", "orbitRotation", "pan3d", "resetCameraDefault3d"]]
_FIT = """
const plot = document.getElementById("{plot_id}");
const shape = (plot.layout.meta || {}).shape;
function fit() {
  const box = plot.getBoundingClientRect();
  const beside = plot.layout.coloraxis ? 90 : 20;
  const size = Math.min(1, (box.width - beside) / (0.93 * box.height * shape[0])) * shape[3];
  Plotly.relayout(plot, {"scene.aspectratio": {x: size * shape[0], y: size * shape[1], z: size * shape[2]}});
}
if (shape) { fit(); window.addEventListener("resize", fit); }
"""
"""Keeps a wide cell inside of a narrow screen."""


def write_interactive(figure: Any, path: str | Path, *, title: str = "dendrosim", plotlyjs: str = "inline") -> Path:
    """Write an interactive figure as an HTML page for screens of all sizes, phones too.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        From `interactive`, or another one.
    path : str or Path
        File to write, whole or not at all; its folder is made where it does not exist.
    title : str, default "dendrosim"
        Of the page.
    plotlyjs : {"inline", "directory", "cdn"}, default "inline"
        Where plotly's program is: in the page, which adds 5 MB and needs nothing else; in ``plotly.min.js`` beside it,
        which pages of one folder share; or on the network.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If `figure` is none of plotly, the title is no text, or `plotlyjs` is not known.
    OSError
        If the file cannot be written.
    MissingDependencyError
        If plotly is not installed.
    """
    go = plotly_objects()
    instance("figure", figure, go.Figure, "as ds.plotting.interactive returns it")
    instance("title", title, str, "the title of the page")
    where = Path(path_given("path", path))
    how = choose("plotlyjs", plotlyjs, ("inline", "directory", "cdn"))
    body = figure.to_html(
        full_html=False,
        include_plotlyjs=True if how == "inline" else how,
        config={"responsive": True, "displaylogo": False, "modeBarButtons": _BUTTONS},
        post_script=_FIT,
        default_height="100vh",
        auto_play=False,
    )
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>body {{ margin: 0; }}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
    folder_for(where)
    if how == "directory":
        _share(where.with_name("plotly.min.js"))
    with replacing(where) as part:
        part.write_text(page, encoding="utf-8")
    return where


def _share(place: Path) -> None:
    """Have plotly's program, whole and of the version in use, where the pages of a folder look for it."""
    from plotly.offline import get_plotlyjs

    program = get_plotlyjs().encode()
    if not (place.is_file() and place.stat().st_size == len(program) and place.read_bytes() == program):
        with replacing(place) as part:
            part.write_bytes(program)
