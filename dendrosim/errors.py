"""The errors and warnings of dendrosim: each message says what is wrong, where, and what would work."""

from __future__ import annotations

from collections.abc import Iterable


class DendrosimError(Exception):
    """Base of every error that dendrosim raises on purpose."""


class ParameterError(DendrosimError, ValueError):
    """An argument has an impossible value, shape or combination."""


class MorphologyError(DendrosimError, ValueError):
    """A morphology cannot be read, or cannot be used for what was asked.

    Attributes
    ----------
    report : dendrosim.morphology.report.Report or None
        Every fault that was found, when the error comes from reading a file.
    """

    def __init__(self, message: str, report: object | None = None) -> None:
        super().__init__(message)
        self.report = report


class DataError(DendrosimError, OSError):
    """The files of a data set are missing, damaged, or cannot be downloaded."""


class DownloadError(DataError):
    """A file cannot be fetched from a server, or what it sent is refused; nothing of it was kept.

    Attributes
    ----------
    status : int or None
        What the server answered, such as 404; None if it did not.
    sha256 : str or None
        Of what was sent, where another sum was expected.
    """

    def __init__(self, message: str, *, status: int | None = None, sha256: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.sha256 = sha256


class FileFormatError(DendrosimError, ValueError):
    """A file of results cannot be read: it is damaged, was not written by dendrosim, or holds something else."""


class TrainingError(DendrosimError, RuntimeError):
    """Training cannot go on: the loss is no number, or a checkpoint belongs to another run."""


class WorkersError(DendrosimError, RuntimeError):
    """Nobody is left to do the work: a scheduler went away, or an executor is broken."""


class MissingDependencyError(DendrosimError, ImportError):
    """An optional package is needed; the message names the extra that brings it."""


def how_to_get(extra: str) -> str:
    """The command that installs an extra, quoted for every shell, from the package index and in a clone."""
    return f'pip install "dendrosim[{extra}]", or in a clone pip install ".[{extra}]"'


class MorphologyWarning(UserWarning):
    """A morphology was read, and something in it is odd."""


class FitWarning(UserWarning):
    """A fit ended, and its result is not what the measurements ask for."""


class StoreWarning(UserWarning):
    """Something is odd about a store of runs; what is asked of it is answered all the same."""


def choose(name: str, value: object, valid: Iterable[str]) -> str:
    """Return `value` if it is one of `valid`, else raise an error that lists them.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        What the caller gave.
    valid : iterable of str
        The valid names.

    Raises
    ------
    ParameterError
        If `value` is not one of `valid`.
    """
    options = tuple(valid)
    if not isinstance(value, str) or value not in options:
        given = repr(value)
        given = given if len(given) <= 100 else f"{given[:96]} ..."
        raise ParameterError(f"{name}={given} is not known; valid: {', '.join(map(repr, options))}")
    return value
