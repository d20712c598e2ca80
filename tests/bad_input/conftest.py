"""Hostile values in the place of every argument: a call either works or says in one clear error what is wrong.

A case is a call as a user would type it, with all of its arguments spelled out. Each argument in turn is replaced by
values of every kind, and by damaged copies of what was there; all others stay right.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import io
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dendrosim.errors import DendrosimError, FitWarning, MorphologyWarning, StoreWarning

SECONDS = 60  # no call here needs more, however busy the machine


class Odd:
    """An object that is nothing anybody knows."""

    def __repr__(self) -> str:
        return "Odd()"


ANYTHING: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "text": lambda: "no such thing",
    "empty text": lambda: "",
    "bytes": lambda: b"\xff\x00",
    "minus one": lambda: -1,
    "zero": lambda: 0,
    "huge": lambda: 10**30,
    "fraction": lambda: 0.37,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "minus inf": lambda: -float("inf"),
    "complex": lambda: 1j,
    "empty list": lambda: [],
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "list of text": lambda: ["a", "b"],
    "list of None": lambda: [None],
    "array of nan": lambda: np.array([np.nan, 1.0]),
    "no rows": lambda: np.zeros((0, 3)),
    "five axes": lambda: np.zeros((1, 2, 1, 2, 1)),
    "array of text": lambda: np.array(["a"]),
    "array of objects": lambda: np.array([None, 1], dtype=object),
    "masked": lambda: np.ma.array([1.0, 2.0], mask=[True, False]),
    "mapping": lambda: {"no": "thing"},
    "set": lambda: {1},
    "function": lambda: abs,
    "class": lambda: dict,
    "object": Odd,
    "missing file": lambda: Path("nowhere") / "no such file.xyz",
}


def damaged(good: Any) -> Iterator[tuple[str, Any]]:
    """Copies of a right value with one thing wrong."""
    if isinstance(good, np.ndarray) and good.dtype.kind in "iuf" and good.size:
        for label, value in (("nan", np.nan), ("inf", np.inf), ("-1", -1), ("huge", 1e300)):
            if good.dtype.kind == "f" or label == "-1":
                copy = good.astype(np.float64) if label == "huge" else good.copy()
                copy.flat[-1] = value
                yield f"{label} within", copy
        yield "one axis more", good[None]
        yield "one row less", good[:-1]
        yield "twice", np.concatenate([good, good])
        yield "as text", good.astype(str)
        yield "as objects", good.astype(object)
        yield "as complex", good.astype(np.complex128)
        if good.ndim > 1:
            yield "transposed", good.T[:, ::-1]
    elif isinstance(good, list | tuple) and good:
        for label, value in (("None", None), ("text", "no such thing"), ("nan", np.nan), ("-1", -1), ("object", Odd())):
            yield f"{label} within", type(good)([*good[:-1], value])
        yield "nested", [good]
        yield "a number", 7
    elif isinstance(good, str):
        yield "capitals", good.upper() + "X"
        yield "with NUL", good + "\0"
    elif isinstance(good, dict):
        yield "another key", {**good, "no such key": 1}
        yield "a key of a number", {**good, 3: 1}
        for key in good:
            yield f"None for {key}", {**good, key: None}


@dataclasses.dataclass
class Attack:
    """One case: how the call went for every hostile value.

    Parameters
    ----------
    call : str
        The call that works.
    names : mapping
        What it may use.
    fine : mapping of str to set of str
        By argument, labels of values that are not tried, because they mean something there that takes long.
    kinds : tuple of str, optional
        Only these of `ANYTHING`, where every call takes long.
    """

    call: str
    names: Mapping[str, Any]
    fine: Mapping[str, set[str]]
    kinds: tuple[str, ...] | None = None

    def parts(self) -> Iterator[tuple[str, Callable[[Any], Any], Any]]:
        """Each argument: its name, the call with another value in its place, and the right value."""
        tree = ast.parse(self.call, mode="eval").body
        assert isinstance(tree, ast.Call), self.call
        for k, node in enumerate(tree.args):
            yield from self._part(tree, str(k), tree.args, k, node)
        for keyword in tree.keywords:
            assert keyword.arg is not None
            yield from self._part(tree, keyword.arg, keyword, None, keyword.value)

    def _part(
        self, tree: ast.Call, name: str, holder: Any, k: int | None, node: ast.expr
    ) -> Iterator[tuple[str, Callable[[Any], Any], Any]]:
        stand_in = ast.copy_location(ast.Name("HOSTILE", ast.Load()), node)
        if k is None:
            holder.value = stand_in
        else:
            holder[k] = stand_in
        code = compile(ast.fix_missing_locations(ast.Expression(tree)), self.call, "eval")
        if k is None:
            holder.value = node
        else:
            holder[k] = node
        good = eval(compile(ast.Expression(node), self.call, "eval"), dict(self.names))
        yield name, lambda value: eval(code, {**self.names, "HOSTILE": value}), good

    def wrong(self) -> list[str]:
        """Everything that is neither an answer nor a clear error."""
        found: list[str] = []
        for name, call, good in self.parts():
            kinds = ANYTHING if self.kinds is None else {label: ANYTHING[label] for label in self.kinds}
            values = [(label, make()) for label, make in kinds.items()] + list(damaged(good))
            for label, value in values:
                if label not in self.fine.get(name, ()):
                    answer = self._answer(call, value)
                    if answer:
                        found.append(f"{name} <- {label}: {answer}")
        return found

    def _answer(self, call: Callable[[Any], Any], value: Any) -> str:
        try:
            with limited(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("error")
                for word in ("overflow encountered", "invalid value encountered"):  # numpy's word on 1e300 and inf
                    warnings.filterwarnings("ignore", word)
                warnings.filterwarnings("ignore", "The BCa confidence interval")  # scipy's word on the same
                for kind in (MorphologyWarning, FitWarning, StoreWarning):
                    warnings.simplefilter("ignore", kind)
                call(value)
                plt.close("all")
        except DendrosimError as error:
            said = str(error)
            if len(said) >= 1000:
                return f"a message of {len(said)} characters: {said[:150]} ..."
            return "" if said.strip() else "an error that says nothing"
        except OSError as error:
            return "" if error.filename else f"{type(error).__name__}: {error}"  # says itself which file, and what
        except (Exception, TooLong) as error:
            return f"{type(error).__name__}: {str(error)[:150]}"
        return ""


class TooLong(BaseException):
    """A call did not come back."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Give up on what takes too long."""

    def give_up(*_: object) -> None:
        raise TooLong(f"no answer within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up) if hasattr(signal, "SIGALRM") else None
    if before is not None:
        signal.alarm(SECONDS)
    try:
        yield
    finally:
        if before is not None:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)


@pytest.fixture
def attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Try a call with hostile arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def tried(
        call: str,
        names: Mapping[str, Any],
        fine: Mapping[str, set[str]] | None = None,
        kinds: tuple[str, ...] | None = None,
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            eval(call, dict(names))  # it works
        found = Attack(call, names, fine or {}, kinds).wrong()
        assert not found, f"{call}\n" + "\n".join(found)

    yield tried
    plt.close("all")
