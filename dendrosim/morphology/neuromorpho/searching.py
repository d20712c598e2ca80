"""Searching: conditions become questions, and answers a list that is fetched as far as it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from ...arguments import short, whole
from ...errors import DataError, DownloadError, ParameterError, choose
from ...shown import Shown, clean
from .entry import Neuron, neuron_from
from .names import check_name
from .server import Server, server_of
from .table import as_text

PAGE = 100
_SHOWN = 20
_LARGEST_PAGE = 500  # more is refused by the server
_MOST_PAGES = 10_000
_MOST_VALUES = 100
"""Pages of a thousand values each."""
# of the entries that the API sends (https://neuromorpho.org/apiReference.html); any of them can be asked for
FIELDS = (
    "age_classification", "age_scale", "archive", "attributes", "brain_region", "cell_type", "deposition_date",
    "domain", "experiment_condition", "gender", "magnification", "max_age", "max_weight", "min_age", "min_weight",
    "neuron_id", "neuron_name", "note", "objective_type", "original_format", "physical_Integrity", "protocol",
    "reconstruction_software", "reference_doi", "reference_pmid", "scientific_name", "shrinkage_corrected",
    "shrinkage_reported", "slicing_direction", "slicing_thickness", "soma_surface", "species", "stain", "strain",
    "surface", "upload_date", "volume",
)  # fmt: skip


class SearchResults(Shown, Sequence[Neuron]):
    """Neurons that were found, in order of their identifiers; asked for page by page, as they are looked at.

    Its length is known after the first page. ``print`` and notebooks show the first ones as a table.

    Attributes
    ----------
    title : str
        What was asked for.
    """

    def __init__(self, server: Server, params: Mapping[str, Any], title: str, page: int) -> None:
        self._server, self._params, self.title, self._page = server, params, title, page
        self._pages: dict[int, tuple[Neuron, ...]] = {}
        self._total: int | None = None

    def __len__(self) -> int:
        if self._total is None:
            self._fetch(0)
        return self._total or 0

    @overload
    def __getitem__(self, index: int) -> Neuron: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Neuron]: ...
    def __getitem__(self, index: int | slice) -> Neuron | Sequence[Neuron]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(f"neuron {index} of {len(self)}")
        page = self._fetch(row // self._page)
        if row % self._page >= len(page):
            raise DataError(f"{self._where(row // self._page)} has fewer neurons than announced; search again")
        return page[row % self._page]

    def __iter__(self) -> Iterator[Neuron]:
        return (self[i] for i in range(len(self)))

    @property
    def url(self) -> str:
        """The server that is asked."""
        return self._server.url

    @property
    def first(self) -> Sequence[Neuron]:
        """The neurons that are shown: no more than one question gives."""
        return self[: min(_SHOWN, self._page)]

    @property
    def names(self) -> list[str]:
        """Names of all of them; fetches all pages."""
        return [neuron.name for neuron in self]

    def __str__(self) -> str:
        return as_text(self.title, len(self), self.first)

    def __repr__(self) -> str:
        known = "not asked yet" if self._total is None else f"{self._total:,} neurons"
        return f"SearchResults({self.title}; {known})"

    def _where(self, page: int) -> str:
        return f"page {page} of the search for {self.title} at {self._server.url}"

    def _fetch(self, number: int) -> tuple[Neuron, ...]:
        if number in self._pages:
            return self._pages[number]
        where = self._where(number)
        try:
            answer = self._server.ask("neuron/select", {**self._params, "page": number, "size": self._page})
        except DownloadError as error:
            if error.status != 404 or number:
                raise
            answer = {"page": {"totalElements": 0}}  # the way in which the server says that there are none
        details, held = answer.get("page"), answer.get("_embedded", {})
        rows = held.get("neuronResources", []) if isinstance(held, Mapping) else None
        total = details.get("totalElements") if isinstance(details, Mapping) else None
        if not isinstance(rows, list) or isinstance(total, bool) or not isinstance(total, int) or total < 0:
            raise DataError(f"{where} is not of the form that its API describes (page, _embedded.neuronResources)")
        if total > self._page * _MOST_PAGES or len(rows) > self._page:
            raise DataError(
                f"{where} announces {short(total)} neurons and has {len(rows)}; this cannot be, it is not used"
            )
        if self._total is not None and total != self._total:
            raise DataError(f"{where} has {total:,} neurons in all, and had {self._total:,} before; search again")
        self._total = total
        self._pages[number] = tuple(neuron_from(row, where) for row in rows)
        return self._pages[number]


def search(*, page: int = PAGE, server: Server | None = None, **conditions: str | int | Sequence[str]) -> SearchResults:
    """Neurons that meet all conditions.

    Parameters
    ----------
    page : int, default 100
        How many to ask for at a time, 500 at most.
    server : Server, optional
        How to ask.
    **conditions : text, number, or sequence of texts
        By field: ``species="mouse"``; several values mean any of them: ``species=["mouse", "rat"]``. ``*`` stands for
        anything in a value without spaces: ``neuron_name="cnic_*"``. `fields` lists the fields, `values` what occurs in
        one.

    Returns
    -------
    SearchResults
        A sequence. Nothing but the first page is asked for before somebody looks.

    Raises
    ------
    ParameterError
        If there is no such field, no condition, or a value that cannot be asked for.
    DownloadError
        When it is looked at: if there is no connection, or the server refuses.
    """
    used = server_of(server)
    if not conditions:
        raise ParameterError("give a condition at least, such as species='mouse'; all neurons are too many to list")
    whole("page", page)
    if page > _LARGEST_PAGE:
        raise ParameterError(f"page={page} is too many at a time; NeuroMorpho.Org gives {_LARGEST_PAGE} at most")
    _need_connection(used, "searching")
    terms = [f"{choose('field', name, FIELDS)}:{_values(name, value)}" for name, value in conditions.items()]
    params = {"q": terms[0], "fq": terms[1:], "sort": "neuron_id,asc"}
    return SearchResults(used, params, clean(" ".join(terms), 120), page)


def _values(name: str, value: object) -> str:
    """Values as the API takes them: separated by commas, quoted where they are more than a word."""
    several = [value] if isinstance(value, str | int) and not isinstance(value, bool) else value
    if not isinstance(several, Sequence) or isinstance(several, bytes) or not several:
        raise ParameterError(f"{name}={short(value)} must be text, a number, or a list of texts")
    return ",".join(_quoted(name, item) for item in several)


def _quoted(name: str, value: object) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text.strip() or len(text) > 200 or any(c in '"\\' or not c.isprintable() for c in text):
        raise ParameterError(
            f"{name}={short(value)} cannot be asked for: text without quotes, backslashes and control characters can"
        )
    if all(c.isalnum() or c in "_-.*" for c in text):
        return text
    if "*" in text:
        raise ParameterError(f"{name}={short(value)}: * stands for anything only in values without spaces and signs")
    return f'"{text}"'


def neuron(name: str | int, *, server: Server | None = None) -> Neuron:
    """What NeuroMorpho.Org knows about one neuron.

    Parameters
    ----------
    name : str or int
        Its name, or its NeuroMorpho.Org ID.
    server : Server, optional
        How to ask.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
        If it cannot be a name.
    DownloadError
        If there is none (the message suggests names that are close), no connection, or the server refuses.
    DataError
        If the answer is not what the API promises.
    """
    used = server_of(server)
    if isinstance(name, int) and not isinstance(name, bool):
        path, asked = f"neuron/id/{whole('name', name, least=0)}", f"with the ID {name}"
    else:
        from .names import url_part

        path, asked = f"neuron/name/{url_part(check_name('name', name))}", f"named {name!r}"
    _need_connection(used, f"asking for the neuron {asked}")
    try:
        found = neuron_from(used.ask(path), f"the answer of {used.url} for the neuron {asked}")
    except DownloadError as error:
        if error.status != 404:
            raise
        raise DownloadError(
            f"NeuroMorpho.Org has no neuron {asked}{_close(str(name), used)}; ds.neuromorpho.search(...) finds what "
            "there is",
            status=404,
        ) from error
    if name not in (found.name, found.id):
        raise DataError(f"{used.url} was asked for the neuron {asked}, and answers with {found.name!r}; it is not used")
    return found


def _close(name: str, server: Server) -> str:
    """A phrase with names like one that does not exist, as far as the server knows any."""
    import difflib

    begin = "".join(c if c.isalnum() or c in "_-" else " " for c in name).split() or [""]
    for size in (max(3, 2 * len(begin[0]) // 3), 3):
        try:
            near = search(neuron_name=f"{begin[0][:size]}*", page=50, server=server)[:50]
        except (DataError, ParameterError):
            return ""
        if close := difflib.get_close_matches(name, [found.name for found in near], n=4, cutoff=0.5):
            return f"; close are {', '.join(map(short, close))}"
    return ""


def fields(*, server: Server | None = None) -> list[str]:
    """Names of the fields that neurons have, as NeuroMorpho.Org lists them.

    Parameters
    ----------
    server : Server, optional
        By default NeuroMorpho.Org itself.

    Returns
    -------
    list of str

    Raises
    ------
    DownloadError
        If there is no connection, or the server refuses.
    DataError
        If the answer is something else.
    """
    used = server_of(server)
    _need_connection(used, "asking for the fields")
    found = used.ask("neuron/fields").get("Neuron Fields")
    return sorted(_texts(found, f"{used.url}/api/neuron/fields"))


def values(field: str, *, server: Server | None = None) -> list[str]:
    """What occurs in a field, such as all species.

    Parameters
    ----------
    field : str
        Such as ``"species"``, ``"brain_region"``, ``"cell_type"`` or ``"archive"``.
    server : Server, optional
        How to ask.

    Returns
    -------
    list of str

    Raises
    ------
    ParameterError
        If there is no such field.
    DownloadError
        If there is no connection, or the server refuses.
    DataError
        If the answer is something else.
    """
    used = server_of(server)
    path = f"neuron/fields/{choose('field', field, FIELDS)}"
    _need_connection(used, f"asking for the values of {field}")
    found: set[str] = set()
    pages = number = 0
    while number <= pages:  # long lists come in pages
        answer = used.ask(path, {"page": number, "size": 1000})
        found |= set(_texts(answer.get("fields"), f"{used.url}/api/{path}"))
        details = answer.get("page")
        total = 1 if details is None else details.get("totalPages") if isinstance(details, Mapping) else None
        if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= _MOST_VALUES:
            raise DataError(f"{used.url}/api/{path} has {short(details)} for its pages; this cannot be, it is not used")
        pages = total - 1
        number += 1
    return sorted(found)


def status(*, server: Server | None = None) -> str:
    """What NeuroMorpho.Org says about itself: ``"UP"`` if its API works.

    Parameters
    ----------
    server : Server, optional
        By default NeuroMorpho.Org itself.

    Returns
    -------
    str

    Raises
    ------
    DownloadError
        If there is no connection, or the server refuses.
    DataError
        If the answer is something else.
    """
    used = server_of(server)
    _need_connection(used, "asking for its health")
    answer = used.ask("health")
    if not isinstance(answer.get("status"), str):
        raise DataError(f"{used.url}/api/health sends {short(dict(answer))} and no status")
    return clean(answer["status"], 40)


def _texts(found: object, where: str) -> list[str]:
    if not isinstance(found, list) or not all(item is None or isinstance(item, str | int | float) for item in found):
        raise DataError(f"{where} sends {short(found)} where a list of texts is expected")
    return [clean(item) for item in found if item is not None]


def _need_connection(server: Server, doing: str) -> None:
    if server.is_offline:
        from .cache import offline_error

        raise offline_error(doing)
