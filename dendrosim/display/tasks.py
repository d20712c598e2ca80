"""Cards of tasks."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..plotting.markup import Markup, tag
from ..plotting.palette import BLUE
from ..tasks.task import Task
from ..tasks.temporal import TemporalTask
from .card import Card, Detail, clean, count, figure, size_of, span
from .svg import drawing, label

IMAGES = 10
"""Images that are shown, of different classes."""
_SPIKES = 2000
_LARGEST = 64
"""Rows and columns of an image up to which it is shown."""


def task(given: Task) -> Card:
    """Sizes, classes, and an image of each class where samples are images."""
    shape = "" if given.image_shape is None else ", images of " + " × ".join(map(str, given.image_shape))
    facts = {
        "samples": f"{len(given.x_train):,} to learn from, {len(given.x_test):,} to test on",
        "inputs": f"{given.n_inputs:,}{shape}",
        "values": span(given.x_train) if given.x_train.size else "none",
        "classes": f"{given.n_classes:,}",
        "seed": str(given.seed),
        "memory": size_of(given.x_train, given.x_test, given.y_train, given.y_test),
    }
    if given.description:
        facts["about"] = given.description
    if given.transforms:
        facts["changed each time"] = ", ".join(map(repr, given.transforms))
    pictures = [lambda: _images(given)] if given.image_shape is not None and max(given.image_shape) <= _LARGEST else []
    return Card("Task", given.name, facts, [_classes(given)], pictures)


def temporal(given: TemporalTask) -> Card:
    """Sizes, times, and the spikes of the first trial."""
    facts = {
        "trials": f"{len(given.train):,} to learn from, {len(given.test):,} to test on",
        "inputs": f"{given.n_inputs:,}",
        "classes": f"{given.n_classes:,}",
        "duration": f"{given.duration:g} ms; class known at {given.answer:g} ms, outcome at {given.outcome:g} ms",
        "spikes": f"{given.train.spikes.time.size / max(len(given.train), 1):,.1f} per trial",
        "seed": str(given.seed),
    }
    if given.description:
        facts["about"] = given.description
    return Card("TemporalTask", given.name, facts, [], [lambda: _raster(given)] if len(given.train) else [])


def _classes(given: Task) -> Detail:
    train, test = (np.bincount(y, minlength=given.n_classes) for y in (given.y_train, given.y_test))
    names = [*given.class_names, *map(str, range(len(given.class_names), given.n_classes))]
    rows = [[names[i], f"{train[i]:,}", f"{test[i]:,}"] for i in range(given.n_classes)]
    return Detail("Classes", ["class", "to learn from", "to test on"], rows, printed=False)


def _images(given: Task) -> Markup:
    """The first sample of every class, one beside the other."""
    shape = given.image_shape
    assert shape is not None
    channels = shape[0] if len(shape) == 3 else 1
    height, width = shape[-2:]
    classes, first = np.unique(given.y_train, return_index=True)
    pixels = given.x_train[first[:IMAGES]].reshape(-1, channels, height, width)
    if channels not in (1, 3):
        pixels = pixels.mean(axis=1, keepdims=True)
    most = float(pixels.max(initial=0.0)) or 1.0
    made = (np.clip(pixels / most, 0.0, 1.0) * 255).round().astype(np.uint8)
    side = 34.0
    drawn: list[Markup] = []
    names = [*given.class_names, *map(str, range(len(given.class_names), given.n_classes))]
    for i, image in enumerate(made):
        x, y = 1.0 + i % 5 * (side + 8), 1.0 + i // 5 * (side + 16)
        data = base64.b64encode(_png(image.transpose(1, 2, 0))).decode("ascii")
        place = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{side:g}", "height": f"{side:g}"}
        drawn.append(tag("image", href=f"data:image/png;base64,{data}", style="image-rendering:pixelated", **place))
        drawn.append(label(x + side / 2, y + side + 10, clean(names[int(classes[i])], 8), "middle"))
    rows = 1 + (len(made) - 1) // 5
    return drawing(
        5 * (side + 8), rows * (side + 16) + 2, f"one sample of each of {count(len(made), 'class', 'classes')}", drawn
    )


def _raster(given: TemporalTask) -> Markup:
    """Spikes of the first trial to learn from."""
    spikes = given.train.spikes
    here = np.flatnonzero(spikes.stimulus == 0)[:_SPIKES]
    width, height = 240.0, 110.0
    x = 2 + spikes.time[here] / max(given.duration, 1e-9) * (width - 4)
    y = 4 + spikes.source[here] / max(given.n_inputs, 1) * (height - 34)
    d = "".join(f"M{a:.1f} {b:.1f}v3" for a, b in zip(x.tolist(), y.tolist(), strict=True) if a <= width)
    made = [
        tag("path", d=d, stroke=BLUE, fill="none"),
        tag("path", d=f"M2 {height - 26:g}h{width - 4:g}", stroke="currentColor", opacity="0.5"),
        label(2, height - 14, "0"),
        label(width - 2, height - 14, figure(given.duration), "end"),
        label(width / 2, height - 2, "time (ms), inputs from above", "middle"),
    ]
    return drawing(width, height, f"spikes of the first trial, of class {int(given.train.y[0])}", made)


def _png(pixels: NDArray[Any]) -> bytes:
    """A PNG file of bytes (rows, columns, 1 or 3)."""
    rows, columns, channels = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels))
    head = struct.pack(">IIBBBBB", columns, rows, 8, 0 if channels == 1 else 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
