"""Names of arms and settings of audited runs, which tell apart what differs in more than a seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..training.run import Run
from .baselines import architecture, recipe


def experiment(run: Run) -> str:
    """Name of its experiment; empty outside of one."""
    return str(run.config.get("experiment", {}).get("name", ""))


def labels(runs: Sequence[Run]) -> list[str]:
    """Name of the arm of every run; where runs with one name differ in more than their seed, with what differs."""
    settings = [_settings(run) for run in runs]
    names = [run.name or _unnamed(run) for run in runs]
    return _distinct(names, settings, [json.dumps(one, sort_keys=True, default=repr) for one in settings])


def places(runs: Sequence[Run]) -> list[str]:
    """Data and network of every run in words, with what differs between those of one name."""
    networks = [run.config["network"] for run in runs]
    names = [f"{run.config['task']['name']}, {run.config['network'].get('architecture', run.config['network']['kind'])}"
             for run in runs]  # fmt: skip
    settings = [
        {**_plain(one), "data": run.config["task"]["hash"][:6]} for run, one in zip(runs, networks, strict=True)
    ]
    return _distinct(names, settings, [architecture(run) for run in runs])


def _distinct(names: Sequence[str], settings: Sequence[dict[str, Any]], keys: Sequence[str]) -> list[str]:
    """Every name, where several keys share it with the settings that tell them apart, or a number."""
    made: dict[tuple[str, str], str] = {}
    for name in dict.fromkeys(names):
        groups = {key: one for key, one, mine in zip(keys, settings, names, strict=True) if mine == name}
        chosen = _telling(list(groups.values()))
        for i, (key, one) in enumerate(groups.items()):
            said = ", ".join(_said(k, one[k]) for k in chosen if k in one) or f"network {i + 1}"
            made[name, key] = f"{name} ({said})" if len(groups) > 1 else name
    return [made[name, key] for name, key in zip(names, keys, strict=True)]


def _telling(groups: Sequence[dict[str, Any]]) -> list[str]:
    """The first few settings that tell all groups apart."""
    chosen: list[str] = []
    apart = 1
    for key in dict.fromkeys(key for one in groups for key in one):
        found = len({json.dumps([one.get(k) for k in [*chosen, key]], default=repr) for one in groups})
        if found > apart:
            chosen, apart = [*chosen, key], found
    return chosen


def _plain(network: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in network.items() if key not in ("hash", "seed")}


def _settings(run: Run) -> dict[str, Any]:
    config = run.config
    drawn = {"data": config["task"]["hash"][:6], "teaching": config["teaching"], "rule": config["rule"]}
    first = {"experiment": experiment(run), "task": config["task"]["name"]}
    return {**first, **_plain(config["network"]), **drawn, **recipe(run)}


def _said(key: str, value: Any) -> str:
    if key == "experiment":
        return str(value) or "no experiment"
    if isinstance(value, dict):
        value = ", ".join(str(v) for v in value.values())
    return f"{key.replace('_', ' ')} {value}"


def _unnamed(run: Run) -> str:
    penalty = float(run.config["rule"].get("penalty", 0.0))
    return str(run.config["teaching"]["name"]) + (f", penalty {penalty:g}" if penalty else "")
