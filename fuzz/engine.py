"""The process that fuzzes: ``python -m fuzz.engine TARGET`` and options of libFuzzer; see ``python -m fuzz``."""

from __future__ import annotations

import hashlib
import importlib
import operator
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_OPERATORS = (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge)
"""By the numbers that Python's bytecode has for them."""


def compiled() -> list[str]:
    """Modules with functions that numba compiles: their bytecode has to stay as it is."""
    package = HERE.parent / "dendrosim"
    found = (path for path in package.rglob("*.py") if "numba" in path.read_text(encoding="utf-8"))
    return [".".join(path.relative_to(package.parent).with_suffix("").parts) for path in found]


def mend(atheris: Any) -> None:
    """Keep what atheris looks at in comparisons from being kept for ever.

    Its 3.0 never gives back the result of a comparison: nothing for truth values, and all the memory of the arrays that
    comparisons of arrays make. Only comparisons of plain values tell it anything, so that others go without it. It
    puts its own function back when it begins to fuzz.
    """
    native, plain = atheris._trace_cmp, (bool, int, float, str, bytes, type(None))

    def traced(left: Any, right: Any, kind: int, *where: Any) -> Any:
        if type(left) in plain and type(right) in plain:
            return native(left, right, kind, *where)
        return _OPERATORS[kind](left, right)

    atheris._trace_cmp = traced


def caller(name: str) -> str:
    """A program that calls this one again: libFuzzer minimises corpora in processes that it starts by name."""
    path = Path(tempfile.mkdtemp()) / "engine"
    call = f'exec {sys.executable} -m fuzz.engine {name} "$@"'
    path.write_text(f"#!/bin/sh\ncd {shlex.quote(str(HERE.parent))}\n{call}\n")
    path.chmod(0o700)
    return str(path)


def main() -> None:
    """Instrument, try the seeds, and fuzz for ever."""
    import atheris

    name, options = sys.argv[1], sys.argv[2:]
    with atheris.instrument_imports(include=["dendrosim", "tomllib"], exclude=compiled()):
        target = importlib.import_module(f"fuzz.{name}")
        for seed in target.seeds():  # what is imported late is imported now, and kernels are compiled
            target.run(seed)
    merging, program = any(option.startswith("-merge") for option in options), sys.argv[0]
    if merging:
        program = caller(name)
    else:
        corpus = next(Path(option) for option in options if not option.startswith("-"))
        for i, seed in enumerate(target.seeds()):
            (corpus / f"seed-{i}").write_bytes(seed)
    prefix = next((option.partition("=")[2] for option in options if option.startswith("-artifact_prefix=")), "")
    first = True

    def run(data: bytes) -> None:
        nonlocal first
        if first:
            mend(atheris)
            first = False
        try:
            target.run(data)
        except BaseException:  # libFuzzer does so itself, unless the process dies on its way out
            Path(f"{prefix}crash-{hashlib.sha1(data).hexdigest()}").write_bytes(data)
            raise

    atheris.Setup([program, f"-max_len={target.LONGEST}", "-len_control=20", *options], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
