"""Figures as text inside a page: nothing is left to be fetched."""

from __future__ import annotations

import base64
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..arguments import path as checked_path
from ..errors import ParameterError, choose

_MEDIA = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Illustration:
    """A figure of a page.

    Attributes
    ----------
    drawing : str, Path or matplotlib Figure
        File with the ending .svg or .png, or a figure; a figure is embedded as SVG and left open.
    caption : str
        Below it.
    alt : str
        What it shows, for those who do not see it.

    Raises
    ------
    ParameterError
        If the caption or the alternative text is empty.
    """

    drawing: Any
    caption: str
    alt: str

    def __post_init__(self) -> None:
        for name in ("caption", "alt"):
            if not str(getattr(self, name)).strip():
                raise ParameterError(f"{name} of a figure is empty; say what it shows: not everybody can see it")

    def uri(self) -> str:
        """The figure as a ``data:`` URI.

        An image apart from the page: scripts in an SVG file do not run there, and its ids cannot meet those of others.

        Raises
        ------
        ParameterError
            If the file is neither SVG nor PNG.
        OSError
            If it cannot be read.
        """
        if hasattr(self.drawing, "savefig"):
            content, media = self._drawn(), _MEDIA[".svg"]
        elif isinstance(self.drawing, str | os.PathLike):
            where = Path(checked_path("drawing", self.drawing))
            media = _MEDIA[choose("ending of a figure", where.suffix.lower(), _MEDIA)]
            content = where.read_bytes()
        else:
            raise ParameterError(f"a figure is a path or a figure of matplotlib; got {type(self.drawing).__name__}")
        return f"data:{media};base64,{base64.b64encode(content).decode('ascii')}"

    def _drawn(self) -> bytes:
        import matplotlib as mpl

        stream = io.BytesIO()
        # texts as outlines: a page may be read where the fonts of this machine are not; the same figure, the same bytes
        with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "dendrosim"}):
            self.drawing.savefig(stream, format="svg", bbox_inches="tight", pad_inches=0.05, metadata={"Date": None})
        return stream.getvalue()
