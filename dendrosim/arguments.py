"""Arguments of public functions as numbers, arrays and objects, or one clear error."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ParameterError

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

Kind = TypeVar("Kind")
_LARGEST = 2**53
"""Whole numbers beyond it are not counted by anything, and a float would not hold them."""


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    unit: str = "",
) -> float:
    """A finite number within limits.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        What the caller gave; text, truth values and arrays are no numbers.
    above, least, most : float, optional
        Limits: ``value > above``, ``value >= least``, ``value <= most``.
    unit : str, default ""
        For the message.

    Raises
    ------
    ParameterError
        Names the limits.
    """
    limits = [f"> {above:g}"] if above is not None else []
    limits += [f">= {least:g}"] if least is not None else []
    limits += [f"<= {most:g}"] if most is not None else []
    wanted = " and ".join(limits) or "finite"
    shown = f"{name}={short(value)}" + (f" {unit}" if unit else "")
    try:
        if isinstance(value, str | bytes | bool) or getattr(value, "shape", ()) != () or hasattr(value, "mask"):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError):
        raise ParameterError(f"{shown} is not a number; it must be {wanted}") from None
    inside = (
        (above is None or result > above) and (least is None or result >= least) and (most is None or result <= most)
    )
    if not math.isfinite(result):
        raise ParameterError(f"{shown} is impossible; it must be {' and '.join(['finite', *limits])}")
    if not inside:
        raise ParameterError(f"{shown} is impossible; it must be {wanted}")
    return result


def whole(name: str, value: object, least: int | None = None, *, most: int = _LARGEST) -> int:
    """A whole number that is `least` or more, or positive, and not beyond `most`.

    Raises
    ------
    ParameterError
        If it is something else; truth values are no numbers.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < (1 if least is None else least):
        wanted = "a positive whole number" if least is None else f"a whole number of at least {least}"
        raise ParameterError(f"{name}={short(value)} must be {wanted}")
    if int(value) > most:
        raise ParameterError(f"{name}={short(value)} is impossible; {most:.0e} is the most")
    return int(value)


def flag(name: str, value: object) -> bool:
    """True or False.

    Raises
    ------
    ParameterError
        If it is something else; numpy's truth values are accepted, numbers and text are not.
    """
    if isinstance(value, bool):
        return value
    import numpy as np  # not for what is given as a plain truth value

    if isinstance(value, np.bool_):
        return bool(value)
    raise ParameterError(f"{name}={short(value)} must be True or False")


def several(name: str, value: object, hint: str) -> list[Any]:
    """The items of a list or another iterable that is neither text nor a mapping.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        What the caller gave.
    hint : str
        What to give, such as ``"a list of cells"``.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping | type):
        raise ParameterError(f"{name}={short(value)} must be {hint}")
    return list(value)


def mapping(name: str, value: object, hint: str) -> dict[str, Any]:
    """A mapping from names, as a dictionary of its own.

    Raises
    ------
    ParameterError
        If it is something else, or a key is no text.
    """
    if not isinstance(value, Mapping):
        raise ParameterError(f"{name}={short(value)} must be a mapping, {hint}")
    for key in value:
        if not isinstance(key, str):
            raise ParameterError(f"{name} has the key {short(key)}; keys are names: {hint}")
    return dict(value)


def function(name: str, value: object, hint: str) -> Callable[..., Any]:
    """Something that can be called.

    Raises
    ------
    ParameterError
        If it cannot.
    """
    if not callable(value):
        raise ParameterError(f"{name}={short(value)} must be a function, {hint}")
    return value


def index(name: str, value: Any, size: int) -> int:
    """One of the integers 0 to ``size - 1``.

    Raises
    ------
    ParameterError
        If it is not one of them.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        result = value.__index__()
    except (AttributeError, TypeError):
        raise ParameterError(f"{name}={short(value)} must be an integer from 0 to {size - 1}") from None
    if not 0 <= result < size:
        raise ParameterError(f"{name} {result} does not exist; valid: 0 to {size - 1}")
    return int(result)


def numbers(name: str, value: Any) -> NDArray[Any]:
    """An array of real numbers, of whatever type and shape.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array-like
        Nothing is converted that would lose something: masked entries, imaginary parts and text are errors.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    import numpy as np

    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        hidden = int(np.ma.getmaskarray(value).sum())
        raise ParameterError(f"{name} has {hidden} masked entries; give plain numbers, such as {name}.filled(0.0)")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise ParameterError(f"{name}={short(value)} is no array: its rows have different lengths") from None
    if array.dtype.kind not in "biuf" and (array.size or array.dtype.kind != "O"):
        raise ParameterError(f"{name}={short(value)} has dtype {array.dtype}; expected real numbers")
    return array


def instance(name: str, value: object, kind: type[Kind], hint: str) -> Kind:
    """`value` if it is a `kind`, else an error that says how to come by one.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if not isinstance(value, kind):
        raise ParameterError(f"{name} must be {kind.__name__}, {hint}; got {short(value)}")
    return value


def generator(name: str, value: Any) -> Generator:
    """The generator that a seed stands for; a generator is returned as it is.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : int, numpy.random.SeedSequence or numpy.random.Generator
        What the caller gave; None is refused, so that everything can be drawn again.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    import numpy as np

    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, np.random.SeedSequence):
        return np.random.default_rng(value)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise ParameterError(f"{name}={short(value)} is impossible; give an integer >= 0 or a numpy.random.Generator")
    return np.random.default_rng(int(value))


def names(name: str, value: object) -> tuple[str, ...]:
    """One name, or several, as a tuple.

    Raises
    ------
    ParameterError
        If it is neither text nor a sequence of texts.
    """
    given = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    wrong = [item for item in given if not isinstance(item, str)]
    if wrong:
        raise ParameterError(f"{name}={short(value)} must be a name or a list of names; {short(wrong[0])} is none")
    return tuple(str(item) for item in given)


def path(name: str, value: object, *, empty: bool = False) -> str:
    """The path of a file as text, a leading ``~`` expanded.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        What the caller gave.
    empty : bool, default False
        Let empty text pass, for a message of the caller's own.

    Raises
    ------
    ParameterError
        If it is no path.
    """
    if not isinstance(value, str | os.PathLike):
        raise ParameterError(f"{name}={short(value)} must be a path: text or a pathlib.Path")
    text = os.fsdecode(value)
    if (not text and not empty) or "\0" in text:
        raise ParameterError(f"{name}={short(text)} is no path: it is empty or holds a NUL")
    return os.path.expanduser(text)


def short(value: object, most: int = 60) -> str:
    """How `value` shows itself, cut to a length that fits into a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 4]} ..."
