"""A cell to turn, zoom and ask: three dimensions in a browser, coloured by value, with a slider."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import index, instance, number, numbers, several, short, whole
from ..biophysics.time.trace import Trace
from ..errors import MissingDependencyError, ParameterError, how_to_get
from .lengths import length_label, round_length
from .palette import EXCITATORY, INHIBITORY, region_color, sort_regions
from .pieces import Floats, Ints, Pieces, pieces_of
from .protocols import CompartmentsLike, MorphologyLike, SynapsesLike
from .synapse_markers import check_synapses, checked_compartments, synapse_positions
from .tubes import FINENESS, Mesh, mesh
from .values import ColorScale, checked_values, color_scale, label_with_unit

_LIGHT = {"ambient": 0.9, "diffuse": 0.3, "specular": 0.05, "roughness": 0.9}
"""Shades enough to see round shapes, and little enough that colours stay those of the colour bar."""
_THINNEST = 700
_STOPS = 256  # as many colours as a browser makes of them
_FILL = 2.0


def interactive(
    cell: MorphologyLike | CompartmentsLike,
    values: ArrayLike | Trace | None = None,
    *,
    names: Sequence[str] | None = None,
    stimulus: int = 0,
    frames: int = 60,
    cmap: Any = None,
    vmin: float | None = None,
    vmax: float | None = None,
    center: float | None = None,
    percentile: float | None = None,
    label: str | None = None,
    unit: str | None = None,
    synapses: SynapsesLike | None = None,
    scale_bar: bool = True,
    minimum_diameter: float | None = None,
    megabytes: float = 10.0,
) -> Any:
    """A cell in three dimensions for a browser or a notebook, with a slider over stimuli or time.

    Neurites are tubes with their diameters, somas spheres. Without `values` the cell is coloured by region; with them
    each compartment has the colour of its own value. What is under the pointer is told: compartment, region, path
    distance and value; where a figure by regions is so large that pieces of a branch are drawn as one, those of the
    first of them. A click on a region in the legend hides it.

    Parameters
    ----------
    cell : Morphology or Compartments
        What to draw.
    values : array-like of shape (N,) or (B, N), or Trace, optional
        A value per compartment (of a morphology, per sample); with a row per stimulus a slider goes through them; a
        trace of all compartments, ``record="all"``, has a slider over time.
    names : sequence of str, optional
        Of the rows, on the slider; by default their numbers, or times.
    stimulus : int, default 0
        Of a trace: row of its batch.
    frames : int, default 60
        Of a trace: how many recorded times, as evenly spaced as these allow.
    cmap, vmin, vmax, center, percentile
        Scale of colours, one for all rows, see :func:`dendrosim.plotting.values.color_scale`.
    label, unit : str, optional
        Of the values; ``voltage`` and ``mV`` of a trace.
    synapses : Synapses, optional
        Mark them; of compartments only.
    scale_bar : bool, default True
    minimum_diameter : float, optional
        Draw thinner neurites this thick, um, so that they can be seen; by default the greatest extent over 700. 0 draws
        all diameters as they are.
    megabytes : float, default 10.0
        Most that the data of the figure may take, synapses too; tubes get fewer sides to keep to it. Rows share
        their geometry.

    Returns
    -------
    plotly.graph_objects.Figure
        Shown by a notebook; saved by `write_interactive`.

    Raises
    ------
    ParameterError
        If values do not fit or are not finite, the trace is not of all compartments, an option belongs to values that
        are not given, or the figure would be too large even with the fewest sides.
    MissingDependencyError
        If plotly is not installed.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cell = ds.Morphology.load("stellate").compartments(ds.Passive(), d_lambda=0.1)
    >>> state = ds.steady_state(cell, current=np.eye(cell.size)[[0, 40, 80]])
    >>> figure = ds.plotting.interactive(cell, state.voltage, label="voltage", unit="mV")
    >>> len(figure.frames)
    3
    >>> ds.plotting.write_interactive(figure, "cell.html").name
    'cell.html'
    """
    go = plotly_objects()
    pieces = pieces_of(cell)
    for name, text in (("label", label), ("unit", unit)):
        if text is not None:
            instance(name, text, str, "such as 'voltage' and 'mV'")
    given = {"cmap": cmap, "vmin": vmin, "vmax": vmax, "center": center, "percentile": percentile, "label": label,
             "unit": unit}  # fmt: skip
    rows, shown, label, unit, what = _rows(values, pieces, names, stimulus, whole("frames", frames, 1), label, unit)
    scale = None
    if rows is not None:
        scale = color_scale(
            rows.ravel(), cmap=cmap, vmin=vmin, vmax=vmax, center=center, percentile=percentile
        )  # fmt: skip
    elif idle := [name for name, value in given.items() if value is not None]:
        raise ParameterError(
            f"{', '.join(idle)} belong to values=, and there are none; regions have colours of their own"
        )
    marked = _marked(pieces, synapses)
    low, high = pieces.bounds()
    extent = max(float((high - low).max()), 1e-9)
    least = extent / _THINNEST if minimum_diameter is None else number("minimum_diameter", minimum_diameter, least=0.0)
    key = (
        pieces.owner if rows is not None else np.unique(pieces.region, return_inverse=True)[1].reshape(-1)[pieces.owner]
    )
    made = _bounded(pieces, key, rows, least / 2, marked.size, number("megabytes", megabytes, above=0.0))
    parts = _parts(made, pieces, rows)
    distance = _distances(cell, pieces)
    figure = go.Figure()
    for part in parts:
        figure.add_trace(_tubes(go, part, distance, pieces.noun, scale is not None, label or "value", unit))
    if synapses is not None:
        _add_synapses(go, figure, cell, pieces, marked, np.asarray(synapses.sign))
    if scale_bar and extent > 1e-9:
        _add_scale_bar(go, figure, low, high, extent)
    _lay_out(figure, scale, label_with_unit(label, unit), (high - low) / extent)
    if rows is not None and shown:
        figure.frames = [
            go.Frame(
                name=str(i),
                data=[{"type": "mesh3d", "intensity": row[part.owner]} for part in parts],
                traces=list(range(len(parts))),
            )
            for i, row in enumerate(rows)
        ]
        _add_slider(figure, shown, what)
    return figure


@dataclass(frozen=True, eq=False)
class Part:
    """The triangles of one region.

    Attributes
    ----------
    region : str
    vertex, face : arrays
    owner : int array of shape (V,)
    values : float array of shape (V,) or None
        Those of the first row.
    """

    region: str
    vertex: NDArray[np.float32]
    face: NDArray[np.int32]
    owner: Ints
    values: NDArray[Any] | None


def plotly_objects() -> Any:
    """What plotly makes figures of.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise MissingDependencyError(f"interactive figures need plotly: {how_to_get('interactive')}") from None
    return go


def _rows(
    values: ArrayLike | Trace | None,
    pieces: Pieces,
    names: Sequence[str] | None,
    stimulus: int,
    frames: int,
    label: str | None,
    unit: str | None,
) -> tuple[NDArray[Any] | None, list[str], str | None, str | None, str]:
    """Values by row, what the slider calls them, label and unit of the values, and what the rows are."""
    shown: list[str] = []
    what = "stimulus"
    rows: NDArray[Any]
    if values is None:
        if names is not None:
            raise ParameterError("names= are those of rows of values=, and there are none")
        _no_trace(stimulus)
        return None, shown, label, unit, what
    if isinstance(values, Trace):
        if pieces.noun != "compartment" or not np.array_equal(values.compartment, np.arange(pieces.size)):
            raise ParameterError(
                f"the trace must be of all {pieces.size} compartments of the cell: simulate(..., record='all')"
            )
        row = index("stimulus", stimulus, len(values.voltage))
        if not values.time.size:
            raise ParameterError("nothing was recorded: the trace has no times")
        chosen = np.linspace(0, values.time.size - 1, min(frames, values.time.size)).round().astype(int)
        rows = np.asarray(values.voltage[row][chosen])
        shown, what = [f"{values.time[i]:.9g} ms" for i in chosen], "time"
        label, unit = label or "voltage", unit or "mV"
    else:
        _no_trace(stimulus)
        rows = numbers("values", values)
        if rows.ndim == 1:
            if names is not None:
                raise ParameterError(
                    "names= are those of several rows, and values= are one; give values[None] for a slider"
                )
            return checked_values(rows, pieces.size, pieces.noun)[None], shown, label, unit, what
        if rows.ndim != 2 or rows.shape[1] != pieces.size or not len(rows):
            raise ParameterError(
                f"values has shape {rows.shape}; expected ({pieces.size},) or (B, {pieces.size}), one per {pieces.noun}"
            )
        shown = [str(i) for i in range(len(rows))]
    if rows.dtype not in (np.float32, np.float64):  # what a browser reads
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        i, n = np.argwhere(~np.isfinite(rows))[0]
        raise ParameterError(f"values[{i}, {n}] is {rows[i, n]}; every value must be finite to have a colour")
    if names is not None:
        shown = [str(name) for name in several("names", names, f"{len(rows)} names, one for each row")]
        if len(shown) != len(rows):
            raise ParameterError(f"names={short(names)} must be {len(rows)} names, one for each row")
    return rows, shown, label, unit, what


def _no_trace(stimulus: Any) -> None:
    if not isinstance(stimulus, int) or stimulus:
        raise ParameterError(f"stimulus={short(stimulus)} is a row of a trace, and values= are none; leave it out")


def _bounded(
    pieces: Pieces, key: Ints, rows: NDArray[Any] | None, least: float, n_marks: int, megabytes: float
) -> Mesh:
    """The finest triangles that keep to the size."""
    size = 0.0
    for fineness in FINENESS:
        made = mesh(pieces, key, fineness, least)
        each = 3 * 4 + 2 * 8 + (0 if rows is None else (1 + (len(rows) if len(rows) > 1 else 0)) * rows.itemsize)
        size = 4 / 3 * (len(made.vertex) * each + made.face.size * 4 + n_marks * 16) / 1e6  # as text, base64
        if size <= megabytes:
            return made
    n = "" if rows is None or len(rows) == 1 else f" in {len(rows)} rows"
    raise ParameterError(
        f"the figure of {pieces.size} {pieces.noun}s{n} comes to {size:.3g} MB, and megabytes={megabytes:g}; take "
        "fewer rows, values[::4], coarser compartments, fewer synapses, or allow more"
    )


def _parts(made: Mesh, pieces: Pieces, rows: NDArray[Any] | None) -> list[Part]:
    """The triangles by region."""
    region = pieces.region[made.owner]
    found = []
    for name in sort_regions(np.unique(region).astype(str).tolist()):
        here = region == name
        place = np.cumsum(here) - 1
        owner = made.owner[here]
        face = place[made.face[here[made.face[:, 0]]]].astype(np.int32)
        found.append(Part(name, made.vertex[here], face, owner, None if rows is None else rows[0][owner]))
    return found


def _tubes(go: Any, part: Part, distance: Floats, noun: str, valued: bool, label: str, unit: str | None) -> Any:
    x, y, z = part.vertex.T.copy()
    i, j, k = part.face.T.copy()
    region = _plain(part.region or "no region")
    said = f"{noun} %{{customdata[0]}}<br>{region}<br>path distance %{{customdata[1]:.1f}} µm"
    colors: dict[str, Any] = {"color": region_color(part.region)}
    if valued:
        said += f"<br>{_plain(label)} %{{intensity:.4g}} {_plain(unit or '')}".rstrip()
        colors = {"intensity": part.values, "coloraxis": "coloraxis"}
    told = np.stack([part.owner, distance[part.owner].round(3)], axis=1)
    return go.Mesh3d(
        x=x, y=y, z=z, i=i, j=j, k=k, **colors, customdata=told, hovertemplate=f"{said}<extra></extra>", name=region,
        showlegend=True, lighting=_LIGHT, lightposition={"x": 1000, "y": 2000, "z": 5000},
    )  # fmt: skip


def _distances(cell: Any, pieces: Pieces) -> Floats:
    """Path distance of every compartment, or sample."""
    found: Floats = np.asarray(getattr(cell, "path_distance", np.zeros(pieces.size)), np.float64)
    return found


def _marked(pieces: Pieces, synapses: SynapsesLike | None) -> Ints:
    """Compartments of the synapses."""
    if synapses is None:
        return np.zeros(0, np.int64)
    if pieces.noun != "compartment":
        raise ParameterError(
            "synapses sit on compartments: draw morphology.compartments(...) instead of the morphology"
        )
    check_synapses(synapses)
    return checked_compartments(synapses.compartment, pieces.size)


def _add_synapses(go: Any, figure: Any, cell: Any, pieces: Pieces, where: Ints, sign: NDArray[Any]) -> None:
    position = synapse_positions(cell, pieces, where).astype(np.float32)
    for name, side, color, symbol in (
        ("excitatory", sign > 0, EXCITATORY, "circle"),
        ("inhibitory", sign < 0, INHIBITORY, "diamond"),
    ):
        if side.any():
            x, y, z = position[side].T.copy()
            said = f"{name} synapse on compartment %{{customdata}}<extra></extra>"
            figure.add_trace(
                go.Scatter3d(
                    x=x, y=y, z=z, mode="markers", name=f"{int(side.sum())} {name}",
                    marker={"size": 2, "color": color, "symbol": symbol, "line": {"width": 0}},
                    customdata=where[side], hovertemplate=said,
                )
            )  # fmt: skip


def _add_scale_bar(go: Any, figure: Any, low: Floats, high: Floats, extent: float) -> None:
    length = round_length(extent / 5)
    y = float(low[1] - 0.04 * extent)
    figure.add_trace(
        go.Scatter3d(
            x=[float(low[0]), float(low[0]) + length], y=[y, y], z=[float(high[2])] * 2, mode="lines+text",
            text=["", length_label(length)], textposition="middle right", line={"color": "#444", "width": 4},
            hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip


def _lay_out(figure: Any, scale: ColorScale | None, title: str, shape: Floats) -> None:
    hidden = {"visible": False}
    wide, tall, deep = (float(s) for s in np.maximum(shape, 0.02))
    figure.update_layout(
        scene={
            "xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "dragmode": "orbit",
            "aspectmode": "manual", "aspectratio": {"x": _FILL * wide, "y": _FILL * tall, "z": _FILL * deep},
            "camera": {
                "eye": {"x": 0, "y": 0, "z": 2}, "up": {"x": 0, "y": 1, "z": 0},
                "projection": {"type": "orthographic"},
            },
        },
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemsizing": "constant"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="white", font={"color": "#222"},
        uirevision="kept", meta={"shape": [wide, tall, deep, _FILL]},
    )  # fmt: skip
    if scale is not None:
        stops = np.linspace(0, 1, _STOPS)
        colors = [
            [float(s), "rgb({},{},{})".format(*(round(255 * c) for c in scale.cmap(float(s))[:3]))] for s in stops
        ]
        shown = "<br>".join(filter(None, (_plain(title), _plain(scale.note))))
        figure.update_layout(
            coloraxis={
                "colorscale": colors, "cmin": float(scale.norm.vmin), "cmax": float(scale.norm.vmax),  # type: ignore[arg-type]
                "colorbar": {"title": {"text": shown, "side": "right"}, "thickness": 12, "len": 0.7, "outlinewidth": 0},
            }
        )  # fmt: skip


def _add_slider(figure: Any, shown: list[str], what: str) -> None:
    now = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    steps = [{"method": "animate", "label": _plain(name), "args": [[str(i)], now]} for i, name in enumerate(shown)]
    play = {"fromcurrent": True, "frame": {"duration": 120, "redraw": True}, "transition": {"duration": 0}}
    figure.update_layout(
        sliders=[{
            "steps": steps, "x": 0, "len": 1, "y": 0, "pad": {"t": 6, "b": 4, "l": 110, "r": 16},
            "currentvalue": {"prefix": f"{what} "},
        }],
        updatemenus=[{
            "type": "buttons", "direction": "left", "x": 0, "xanchor": "left", "y": 0, "yanchor": "top",
            "pad": {"t": 26, "l": 4}, "showactive": False,
            "buttons": [
                {"label": "▶", "method": "animate", "args": [None, play]},
                {"label": "❚❚", "method": "animate", "args": [[None], {**now, "mode": "immediate"}]},
            ],
        }],
    )  # fmt: skip


def _plain(text: str) -> str:
    """Text in which plotly sees no tags and no placeholders."""
    return html.escape(text, quote=False).replace("%{", "% {")
