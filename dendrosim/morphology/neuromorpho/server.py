"""The server of NeuroMorpho.Org: addresses, questions, and answers that are believed only as far as they go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ... import downloads
from ...arguments import flag, instance, number, short, whole
from ...downloads.http import check_url
from ...downloads.pace import Manners
from ...errors import DataError, DownloadError, ParameterError
from ...shown import clean
from .names import url_part

URL = "https://neuromorpho.org"
LEAST_PAUSE = 0.5
LARGEST_ANSWER = 64 * 2**20
"""Bytes that an answer of the API may have; 500 neurons take one million."""
LARGEST_FILE = 512 * 2**20
"""Bytes that a reconstruction may have."""


@dataclass(frozen=True)
class Server:
    """How NeuroMorpho.Org is asked: one request at a time, and not too often.

    Parameters
    ----------
    url : str, optional
        Where it is; a mirror that speaks the same API.
    pause : float, default 0.5
        Seconds from the end of a request to the next one; more is kinder, less is refused.
    silence : float, default 30.0
        Seconds without a byte after which a request is given up.
    attempts : int, default 3
        How often to ask when the server is busy or the connection fails.
    offline : bool, optional
        Use what is in the cache alone; by default what ``DENDROSIM_OFFLINE`` says.

    Raises
    ------
    ParameterError
        If the pause is shorter, the address has a query, or another value is impossible.
    DownloadError
        If the address does not begin with ``https://``.
    """

    url: str = field(default_factory=lambda: URL)
    pause: float = LEAST_PAUSE
    silence: float = 30.0
    attempts: int = 3
    offline: bool | None = None

    def __post_init__(self) -> None:
        url = check_url(str(self.url)).rstrip("/")
        if set("?#") & set(url):
            raise ParameterError(f"url={short(self.url, 200)} has a query; give what stands before /api, without one")
        made = {
            "url": url,
            "pause": number("pause", self.pause, least=LEAST_PAUSE, unit="s"),
            "silence": number("silence", self.silence, above=0, most=600, unit="s"),
            "attempts": whole("attempts", self.attempts),
            "offline": None if self.offline is None else flag("offline", self.offline),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    @property
    def is_offline(self) -> bool:
        """Whether only the cache is used."""
        return downloads.offline() if self.offline is None else self.offline

    @property
    def manners(self) -> Manners:
        """For `dendrosim.downloads`."""
        return Manners(silence=self.silence, attempts=self.attempts, pause=self.pause)

    def ask(self, path: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """What the API answers to a question.

        Parameters
        ----------
        path : str
            Below ``/api/``.
        params : mapping, optional
            Of the query.

        Returns
        -------
        mapping
            The JSON object.

        Raises
        ------
        DownloadError
            If there is no connection, the server refuses, or is closed for maintenance.
        DataError
            If the answer is no JSON object.
        """
        url = f"{self.url}/api/{path}"
        try:
            answer = downloads.read(url, params=params, largest=LARGEST_ANSWER, manners=self.manners)
        except DownloadError as error:
            if error.status is not None and error.status >= 500:
                raise DownloadError(
                    f"{error}. NeuroMorpho.Org may be closed for maintenance; its page {self.url} says so. What is in "
                    "the cache can be loaded meanwhile: see ds.neuromorpho.cached()",
                    status=error.status,
                ) from error
            raise
        return _json(answer, url)

    def file_url(self, archive: str, folder: str, name: str) -> str:
        """Address of the file `name` in the `folder` ("CNG version" or another) of an `archive`."""
        return "/".join([self.url, "dableFiles", *(url_part(part) for part in (archive.lower(), folder, name))])


def server_of(given: Server | None) -> Server:
    """The server to ask: the one that was given, or NeuroMorpho.Org.

    Raises
    ------
    ParameterError
        If it is no server.
    """
    return Server() if given is None else instance("server", given, Server, "such as ds.neuromorpho.Server(pause=1.0)")


def _json(answer: downloads.Answer, url: str) -> Mapping[str, Any]:
    """The object that an answer holds."""
    try:
        found = json.loads(answer.content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        begins = clean(answer.content[:80].decode("utf-8", "replace"), 80)
        page = answer.kind == "text/html" or begins.startswith("<")
        what = "a web page" if page else "no JSON"
        raise DataError(
            f"{url} sends {what} where JSON is expected (it begins {short(begins, 90)}); NeuroMorpho.Org may be closed "
            "for maintenance, or something in between asks you to sign in. Try again later"
        ) from error
    if not isinstance(found, Mapping):
        raise DataError(f"{url} sends {short(found)} where a JSON object is expected; nothing of it is used")
    return found
