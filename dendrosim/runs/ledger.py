"""The reproduction ledger: what papers state, and which runs it is compared with."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..arguments import short
from ..errors import ParameterError, choose
from .ledger_evidence import Measure
from .ledger_measures import measure
from .ledger_verdict import Published
from .schema import NUMBER, TABLE, TEXT, TRUTH, WHOLE, WHOLES, of_kind, unknown
from .shipped import shipped_ledger

PRESETS = ("quick", "full")
TEXTS, TABLES, ANY = "a list of texts", "a list of tables", "a number, [low, high] or text"
_LISTS: dict[str, type] = {TEXTS: str, TABLES: dict}
_FILE: dict[str, tuple[str, ...]] = {
    "paper": (TEXT,),
    "title": (TEXT,),
    "note": (TEXT,),
    "items": (TABLES,),
    "presets": (TABLE,),
    "confounds": (TABLE,),
    "shorter": (TEXTS,),
}
_ITEM: dict[str, tuple[str, ...]] = {
    "name": (TEXT,),
    "place": (TEXT,),
    "title": (TEXT,),
    "note": (TEXT,),
    "entries": (TABLES,),
}
_ENTRY: dict[str, tuple[str, ...]] = {
    "name": (TEXT,),
    "what": (TEXT,),
    "published": (ANY,),
    "sd": (NUMBER,),
    "n": (WHOLE,),
    "source": (TEXT,),
    "confound": (TEXT, TEXTS),
    "fair": (TEXT,),
    "experiment": (TEXT,),
    "arm": (TEXT, TEXTS),
    "minus": (TEXT, TEXTS),
    "measure": (TEXT, TABLE),
    "within": (NUMBER, TEXT),
    "quick": (TRUTH,),
}
_SHARED = ("source", "confound", "n", "experiment", "arm", "minus", "measure", "within", "quick")
"""Keys of entries that an item may say for all of its own."""
_ITEM.update({key: _ENTRY[key] for key in _SHARED})
_NEEDED = ("name", "what", "published", "source", "experiment", "arm", "measure")
_PRESET: dict[str, tuple[str, ...]] = {"seeds": (WHOLES,), "arms": (TEXTS,), "set": (TEXTS,)}


@dataclass(frozen=True)
class Entry:
    """One published value and what it is compared with.

    Attributes
    ----------
    name : str
        Its own in its item.
    what : str
        What is measured, in words.
    published : Published
    source : str
        Where the published value is found.
    experiment : str
        Name of the experiment file.
    arms : tuple of str
        Whose runs are measured; of several the mean, seed by seed.
    measure : Measure
    minus : tuple of str
        Arms whose mean is taken away, seed by seed.
    confound : str
        What else was different in the published comparison, or empty.
    fair : str
        Name of the entry of the same item without that confound, or empty.
    shorter : str
        In what our runs are shorter than the published ones, or empty: what does not agree is then no miss.
    within : float or None
        What counts as the same, instead of the published uncertainty.
    factor : float or None
        Of magnitudes: what counts as the same, on a scale of logarithms; 1 for comparisons on that scale.
    quick : bool or None
        Whether it can be judged from runs of a preset that changes settings; None: comparisons can, and what needs no
        runs.
    """

    name: str
    what: str
    published: Published
    source: str
    experiment: str
    arms: tuple[str, ...]
    measure: Measure = field(repr=False)
    minus: tuple[str, ...] = ()
    confound: str = ""
    fair: str = ""
    shorter: str = ""
    within: float | None = None
    factor: float | None = None
    quick: bool | None = None

    def comparable(self, preset: Preset) -> bool:
        """Whether runs of a preset can meet the published value."""
        if not preset.settings or self.quick:
            return True
        return self.quick is None and (bool(self.published.sign) or not self.measure.trained)


@dataclass(frozen=True)
class Item:
    """A table or figure of a paper.

    Attributes
    ----------
    name : str
        What ``dendrosim reproduce`` calls it.
    paper : str
    place : str
        In the paper, such as ``"Table 1"``.
    title, note : str
    entries : tuple of Entry
    file : str
        The ledger file that it is from.
    """

    name: str
    paper: str
    place: str
    title: str
    note: str
    entries: tuple[Entry, ...]
    file: str = ""


@dataclass(frozen=True)
class Preset:
    """Which runs of an experiment a preset asks for.

    Attributes
    ----------
    experiment : str
    seeds : tuple of int or None
        Those of the file if None.
    settings : tuple of str
        ``key=value`` laid over every arm.
    listed : dict of tuples of str
        Arms, by ledger file, that its items need besides those that their entries name, as baselines are.
    """

    experiment: str
    seeds: tuple[int, ...] | None = None
    settings: tuple[str, ...] = ()
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ledger:
    """All items, in the order of the files.

    Attributes
    ----------
    items : tuple of Item
    presets : dict of dicts of Preset
        By name of the preset and of the experiment; an experiment without one is not run by that preset.
    """

    items: tuple[Item, ...]
    presets: Mapping[str, Mapping[str, Preset]]

    @classmethod
    def load(cls, sources: Iterable[str | Path] | None = None) -> Ledger:
        """Read and check ledger files.

        Parameters
        ----------
        sources : iterable of str or Path, optional
            Those that come with the package by default.

        Raises
        ------
        ParameterError
            If something in a file is not known or of the wrong kind, or two files contradict each other; says where.
        """
        items: list[Item] = []
        files: list[tuple[Path, Mapping[str, Any]]] = []
        for path in [Path(source) for source in (shipped_ledger() if sources is None else sources)]:
            try:
                content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ParameterError(f"{path} is no TOML file: {error}") from error
            try:
                new = _items(content, str(path))
            except ParameterError as error:
                raise ParameterError(f"{path}: {error}") from error
            for item in new:
                if any(item.name == other.name for other in items):
                    raise ParameterError(f"{path}: there is an item {item.name!r} already")
                items.append(item)
            files.append((path, content))
        return cls(tuple(items), _presets(files))

    @property
    def papers(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(dict.fromkeys(item.paper for item in self.items))

    def chosen(self, names: Sequence[str] = ()) -> tuple[Item, ...]:
        """Items by their names or those of papers; all without any.

        Raises
        ------
        ParameterError
            If there is no such item or paper.
        """
        for name in names:
            if name not in self.papers and all(item.name != name for item in self.items):
                raise unknown("reproduce", name, [*self.papers, *(item.name for item in self.items)])
        return tuple(item for item in self.items if not names or item.name in names or item.paper in names)

    def preset(self, name: str, experiment: str) -> Preset | None:
        """What a preset asks of an experiment; None if it leaves it out.

        Raises
        ------
        ParameterError
            If there is no such preset.
        """
        return self.presets[choose("preset", name, PRESETS)].get(experiment)


def _items(content: Mapping[str, Any], file: str) -> list[Item]:
    _keys("top level", content, _FILE, ("paper", "items"))
    _confound(content.get("shorter", []), "shorter", content.get("confounds", {}))
    items: list[Item] = []
    for table in content["items"]:
        where = f"item {table.get('name', len(items) + 1)!r}"
        _keys(where, table, _ITEM, ("name", "place", "title"))
        entries: list[Entry] = []
        shared = {"source": table["place"], **{key: table[key] for key in _SHARED if key in table}}
        for one in table.get("entries", []):
            own = {**shared, **({"what": one["name"]} if "name" in one else {}), **one}
            try:
                entries.append(_entry(own, f"entry {one.get('name', len(entries) + 1)!r}", content))
            except ParameterError as error:
                raise ParameterError(f"{where}: {error}") from None
        names = [entry.name for entry in entries]
        for entry in entries:
            if names.count(entry.name) > 1:
                raise ParameterError(f"{where}: there are two entries {entry.name!r}")
            if entry.fair and (entry.fair not in names or entry.fair == entry.name):
                raise unknown(f"{where}: entry {entry.name!r}: fair", entry.fair, names)
        note = str(table.get("note", "")).strip()
        items.append(Item(table["name"], content["paper"], table["place"], table["title"], note, tuple(entries), file))
    return items


def _entry(table: Mapping[str, Any], where: str, file: Mapping[str, Any]) -> Entry:
    _keys(where, table, _ENTRY, _NEEDED)
    try:
        published = Published.read(table["published"], table.get("sd"), table.get("n"))
        found = measure(_plain(table["measure"]))
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from None
    known, given = file.get("confounds", {}), table.get("confound", "")
    confound = _confound(given, where, known)
    shorter = [name for name in file.get("shorter", []) if isinstance(given, list) and name in given]
    if table.get("fair") and not confound:
        raise ParameterError(f"{where} has a fair partner but names no confound; say what it is fair about")
    within, factor = _within(table.get("within"), published, where)
    return Entry(
        name=table["name"],
        what=table["what"],
        published=published,
        source=table["source"],
        experiment=table["experiment"],
        arms=_several(table["arm"]),
        measure=found,
        minus=_several(table.get("minus", [])),
        confound=confound,
        fair=table.get("fair", ""),
        shorter=_confound(shorter, where, known),
        within=within,
        factor=factor,
        quick=table.get("quick"),
    )


def _confound(given: str | list[str], where: str, known: Mapping[str, Any]) -> str:
    """In words: of a list, what the file's [confounds] say."""
    if isinstance(given, str):
        return given
    for name in given:
        if not isinstance(known.get(name), str):
            raise unknown(f"{where}: confound", name, known)
    return "; ".join(known[name] for name in given)


def _within(given: Any, published: Published, where: str) -> tuple[float | None, float | None]:
    """What counts as the same, as a distance or, of ``"x3"``, as a factor."""
    if not isinstance(given, str):
        return None if given is None else float(given), None
    try:
        factor = float(given.removeprefix("x"))
    except ValueError:
        factor = 0.0
    if not given.startswith("x") or factor < 1.0:
        raise ParameterError(f"{where}: within = {given!r} must be a number, or a factor of 1 or more such as 'x3'")
    if published.low * published.high <= 0.0:
        raise ParameterError(
            f"{where}: within = {given!r} is a factor, and published = {published.text} has no magnitude"
        )
    if published.sign and factor != 1.0:
        raise ParameterError(f"{where}: published = '{published.text}' leaves nothing open; within = 'x1' or none")
    return None, factor


def _presets(files: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, dict[str, Preset]]:
    """What all files together ask for."""
    found: dict[str, dict[str, Preset]] = {name: {} for name in PRESETS}
    said: dict[tuple[str, str, str], tuple[list[Any], Path]] = {}
    for path, content in files:
        for name, experiments in content.get("presets", {}).items():
            if name not in found:
                raise unknown(f"{path}: presets", name, found)
            for experiment, table in experiments.items():
                where = f"{path}: [presets.{name}.{experiment}]"
                _keys(where, table, _PRESET, ())
                for key in ("seeds", "set"):
                    if key in table:
                        value, other = said.setdefault((name, experiment, key), (table[key], path))
                        if table[key] != value:
                            raise ParameterError(f"{where}: {key} = {table[key]}, but {other} has {value}; say it once")
                seeds, settings = (said.get((name, experiment, key), (None,))[0] for key in ("seeds", "set"))
                old = found[name].get(experiment, Preset(experiment))
                found[name][experiment] = Preset(
                    experiment,
                    None if seeds is None else tuple(seeds),
                    tuple(settings or ()),
                    {**old.listed, str(path): tuple(table.get("arms", ()))},
                )
    return found


def _keys(where: str, table: Mapping[str, Any], valid: Mapping[str, tuple[str, ...]], needed: Sequence[str]) -> None:
    for key, value in table.items():
        if key not in valid:
            raise unknown(where, key, valid)
        kinds = valid[key]
        if any(_list_of(value, kind) for kind in kinds) or ANY in kinds:
            continue
        if all(kind in _LISTS for kind in kinds):
            raise ParameterError(f"{where}: {key} = {short(value)} must be {' or '.join(kinds)}")
        of_kind(f"{where}: {key}", _plain(value), tuple(kind for kind in kinds if kind not in _LISTS))
    missing = [key for key in needed if key not in table]
    if missing:
        raise ParameterError(f"{where} has no {missing[0]}")


def _list_of(value: Any, kind: str) -> bool:
    return kind in _LISTS and isinstance(value, list) and all(isinstance(one, _LISTS[kind]) for one in value)


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _plain(value: Any) -> Any:
    """Decimals as floats, in tables too."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return float(value) if isinstance(value, Decimal) else value
