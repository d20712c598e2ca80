"""Commands that the documentation shows: found, taken apart, and told from one another.

A command is a line of a block in the language of a shell (``sh``, ``console``), a line of a ``text`` block that begins
with a program's name, or a piece of code within a line that does. A trailing comment that names a time (``# five
minutes``) says that a command is slow; so are those after it in the same block, which take what it leaves.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(p for p in DOCS.rglob("*.md") if not {"generated", "_build"} & set(p.parts)),
    *sorted(p for folder in ("tutorials", "gallery") for p in (DOCS / folder).glob("*.py")),
]

PROGRAMS = ("dendrosim", "python", "python3", "pip", "dask", "bash", "pytest", "srun", "git")
SECTIONS = ("dendrosim", "python", "pip", "dask", "bash", "pytest", "git")  # begin a command within a line of text
_TIME = re.compile(r"\b(seconds?|minutes?|hours?|days?)\b")
_BLOCK = re.compile(r"^```(sh|console|bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"^# \.\. code-block:: (sh|console|bash|text)\n((?:#\n|#    ?.*\n)+)", re.MULTILINE)
_INLINE = re.compile(r"(?<!`)(`{1,2})((?:" + "|".join(SECTIONS) + r") [^`]+|dendrosim)\1(?!`)")

# What stands for something of the reader's own, and what the tests put there.
WORDS = {
    "FILE.swc": "cell.swc", "FILE": "cell.swc", "EXPERIMENT": "digits", "SWEEP": "sweep_digits",
    "ADDRESS": "tcp://127.0.0.1:8786", "STORE": "store", "FOLDER": "runs", "DIR": "runs", "RUN.h5": "run.h5", "N": "2",
    "I/16": "3/16", "NAME": "table1",
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """A command as a page shows it."""

    page: str
    text: str  # without the comment
    slow: bool
    block: int  # which block of the page; -1 within a line of text

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


def commands() -> list[Command]:
    """All commands of all pages, in order."""
    return [command for page in PAGES for command in _of(page)]


def _of(page: Path) -> Iterator[Command]:
    name, text = page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")
    blocks = _BLOCK.findall(text)
    blocks += [(kind, re.sub(r"^# ?", "", body, flags=re.MULTILINE)) for kind, body in _DIRECTIVE.findall(text)]
    for number, (kind, body) in enumerate(blocks):
        slow = False
        for line in re.sub(r"\\\n\s*", "", body).splitlines():
            command, _, comment = line.strip().partition("  #")
            command = command.removeprefix("$ ").strip()
            if not command or command.startswith("#") or (kind != "sh" and command.split()[0] not in PROGRAMS):
                continue
            slow = slow or _TIME.search(comment or _remark(command)) is not None
            for part in command.removesuffix("&").split(" && "):
                yield Command(name, _without_remark(part.strip()), slow, number)
    prose = re.sub(r"^(```|~~~).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    for _, command in _INLINE.findall(prose):
        yield Command(name, re.sub(r"\s+#? *", " ", command) if "\n" in command else command, False, -1)


def _remark(line: str) -> str:
    """README's list of commands has remarks behind a gap of spaces instead of comments."""
    return line[len(_without_remark(line)) :]


def _without_remark(line: str) -> str:
    return re.split(r"\s{2,}", line)[0]


def meant(words: list[str]) -> Iterator[list[str]]:
    """Commands that a synopsis stands for: one for each alternative, with what is optional and without."""
    known = WORDS | ({"FILE": "mine.toml"} if {"run", "sweep"} & set(words[:2]) else {})
    text = " ".join(words)
    without, with_all = re.sub(r" \[[^]]*\]", "", text), re.sub(r" \.\.\.", "", text).replace("[", "").replace("]", "")
    for one in dict.fromkeys((without, with_all)):
        choices = [word.split("|") if re.search(r"[A-Za-z]\|", word) else [word] for word in one.split()]
        for chosen in itertools.product(*choices):
            yield [known.get(word, word) for word in chosen if word != "..."]
