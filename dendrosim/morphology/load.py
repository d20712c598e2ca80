"""From a file to samples that can be used, or to an error that says everything that is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from .. import arguments
from ..errors import MorphologyError, MorphologyWarning, ParameterError
from .formats import SUFFIXES, read_morphio, refuse_others
from .report import Report
from .samples import Samples
from .swc import encoded, read_swc


def read(path: Path, repair: str | Iterable[str] = (), minimum_radius: float | None = None) -> tuple[Samples, Report]:
    """Read a file by its ending: ``.asc`` and ``.h5`` through MorphIO, all else as SWC; see `Morphology.load`."""
    names = _names(repair, minimum_radius)
    refuse_others(path)
    if path.suffix.lower() in SUFFIXES:
        samples, report = read_morphio(path, repair=names, minimum_radius=minimum_radius)
    else:
        samples, report = read_swc(path, repair=names, minimum_radius=minimum_radius)
    return _usable(samples, report)


def read_text(
    text: str, name: str = "", repair: str | Iterable[str] = (), minimum_radius: float | None = None
) -> tuple[Samples, Report]:
    """Read the text of an SWC file; see `Morphology.from_swc`."""
    if not isinstance(text, str):
        raise ParameterError(f"text={arguments.short(text)} must be the text of an SWC file; load() takes paths")
    if not isinstance(name, str):
        raise ParameterError(f"name={arguments.short(name)} must be text")
    samples, report = read_swc(encoded(text), repair=_names(repair, minimum_radius), minimum_radius=minimum_radius)
    return _usable(samples, replace(report, source=name or report.source))


def _names(repair: str | Iterable[str], minimum_radius: float | None) -> tuple[str, ...]:
    names = arguments.names("repair", repair)
    if minimum_radius is not None:
        arguments.number("minimum_radius", minimum_radius, above=0, unit="um")
    if minimum_radius is not None and "zero_radius" not in names:
        raise ParameterError(
            f"minimum_radius={minimum_radius!r} belongs to repair='zero_radius', which is not asked for; to leave the "
            "samples as they are, give minimum_radius to compartments()"
        )
    return names


def _usable(samples: Samples | None, report: Report) -> tuple[Samples, Report]:
    """Raise the errors, or warn once of all warnings."""
    report.raise_if_unusable()
    if samples is None:
        raise MorphologyError(f"{report.source}: there are no samples to use", report)
    if report.warnings:
        warnings.warn("\n".join([report.summary(), *report.lines(notes=False)]), MorphologyWarning, stacklevel=4)
    return samples, report
