"""A morphology as text: a tree of its sections."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ParameterError

if TYPE_CHECKING:
    from .tree import Morphology


_LINES = "│", "├", "└"
_PLAIN = "|", "|", "`"


def draw_tree(morphology: Morphology, depth: int | None = None, lines: int | None = 1000) -> str:
    """See `Morphology.draw`; plain ASCII branches where standard output cannot show others."""
    down, fork, corner = _branches()
    for name, value in (("depth", depth), ("lines", lines)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1):
            raise ParameterError(f"{name}={value!r} must be a positive integer, or None for all")
    sections = morphology.sections
    parent = sections.parent.tolist()
    following = [True] * len(parent)  # whether a later section hangs on the same one
    seen: set[int] = set()
    for index in range(len(parent) - 1, -1, -1):
        following[index] = parent[index] in seen
        seen.add(parent[index])
    drawn = np.arange(len(parent)) if depth is None else np.flatnonzero(sections.branch_order < depth)
    hidden = 0 if lines is None else max(0, drawn.size - lines)
    order, region = sections.branch_order, sections.region
    indent = {-1: ""}  # what stands before the sections at this one
    out = [_head(morphology)]
    for index in drawn[: drawn.size - hidden].tolist():
        before, more = indent[parent[index]], following[index]
        indent[index] = before + (f"{down} " if more else "  ")
        ids = _span(sections[index].sample_ids.tolist())
        text = f"{before}{fork if more else corner} {region[index]} {sections.length[index]:.1f} um {ids}"
        if depth is not None and order[index] == depth - 1 and sections.n_children[index]:
            text += _below(morphology, index)
        out.append(text)
    if hidden:
        out.append(f"... {hidden} more sections; lines=None draws all")
    return "\n".join(out)


def _branches() -> tuple[str, str, str]:
    """What sections hang on, one character each: straight down, with more to come, the last."""
    try:
        "".join(_LINES).encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN
    return _LINES


def _head(morphology: Morphology) -> str:
    """What the sections hang on: the soma, or the root."""
    name = f"{morphology.name}: " if morphology.name else ""
    soma = morphology.soma
    if soma is None:
        root = morphology.samples.id[morphology.samples.parent < 0][0]
        return f"{name}no soma, root [{root}]"
    ids = morphology.samples.id[soma.rows]
    return f"{name}soma ({soma.convention.replace('_', ' ')}), radius {soma.radius:.1f} um {_span(ids.tolist())}"


def _span(ids: list[int]) -> str:
    """Identifiers of a stretch of samples: first and last, and how many where that does not say it."""
    if len(ids) == 1:
        return f"[{ids[0]}]"
    plain = abs(ids[-1] - ids[0]) == len(ids) - 1
    return f"[{ids[0]}..{ids[-1]}]" if plain else f"[{ids[0]}..{ids[-1]}, {len(ids)} samples]"


def _below(morphology: Morphology, index: int) -> str:
    """How much hangs on a section that is not drawn further; sections below one stand right behind it."""
    order = morphology.sections.branch_order
    later = np.flatnonzero(order[index + 1 :] <= order[index])
    stop = index + 1 + int(later[0]) if later.size else order.size
    n = stop - index - 1
    return f" + {n} section{'s' if n > 1 else ''}, {morphology.sections.length[index + 1 : stop].sum():.1f} um"
