"""Check a built site: links, anchors, pictures, search. ``python docs/check_site.py docs/_build/html``.

Exit status 1 if anything is wrong. Needs no network: of links to elsewhere only the form is looked at.
"""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a reader might type, and a page that must be among what is found.
SEARCHES = {
    "steady_state": "guide/steady_states",
    "SWC": "guide/morphology_files",
    "shunting": "guide/steady_states",
    "NEURON": "guide/steady_states",
    "gradient": "guide/first_neuron",
    "NMDA": "guide/time",
    "fidelity": "guide/fidelity",
    "install": "install",
    "sweep": "guide/sweeps",
    "slurm": "guide/clusters",
    "per_soma": "guide/learning",
    "plateau": "generated/gallery/nmda_spike",
    "digits": "guide/tasks",
    "cite": "citation",
    "compartments": "guide/geometry",
}
ONLY_HTTP = {"http://www.ctwatch.org/quarterly/articles/2007/11/failure-tolerance-in-petascale-computers/2/index.html"}


class Page(HTMLParser):
    """What a page offers and what it asks for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors, self.links, self.images, self.faults = set[str](), list[str](), list[str](), list[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        if tag in ("a", "link") and (target := given.get("href")) is not None:
            self.links.append(target)
        if tag in ("script", "iframe", "source") and (target := given.get("src")):
            self.links.append(target)
        if tag == "img":
            source = given.get("src") or ""
            self.images.append(source)
            self.images += [part.split()[0] for part in (given.get("srcset") or "").split(",") if part.strip()]
            if not (given.get("alt") or "").strip():
                self.faults.append(f"picture without a description: {source}")


def main(root: Path) -> int:
    """Print every fault, return 1 if there are any."""
    pages = {path: Page(path) for path in sorted(root.rglob("*.html")) if "_static" not in path.parts}
    if len(pages) < 50:
        print(f"{root}: {len(pages)} pages; this is no built site")
        return 1
    faults = [f"{path.relative_to(root)}: {fault}" for path, page in pages.items() for fault in page.faults]
    for path, page in pages.items():
        for target in dict.fromkeys([*page.links, *page.images]):
            why = _wrong(target, path, root, pages)
            if why:
                faults.append(f"{path.relative_to(root)}: {target}: {why}")
    faults += _search(root)
    print(*faults, sep="\n")
    links = sum(len(page.links) for page in pages.values())
    images = sum(len(page.images) for page in pages.values())
    print(f"{len(pages)} pages, {links} links, {images} pictures, {len(SEARCHES)} searches: {len(faults)} faults")
    return int(bool(faults))


def _wrong(target: str, path: Path, root: Path, pages: dict[Path, Page]) -> str:
    parts = urlsplit(target)
    if parts.scheme in ("data", "mailto"):
        return ""
    if parts.scheme or parts.netloc:
        return "" if (parts.scheme == "https" and parts.netloc) or target in ONLY_HTTP else "not https"
    there = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if there.is_dir():
        there /= "index.html"
    if not there.is_file() or not there.is_relative_to(root):
        return "no such file"
    if parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].anchors:
        return "no such place on the page"
    return ""


def _search(root: Path) -> list[str]:
    """Words that find nothing, or not the page they should."""
    from sphinx.search.en import SearchEnglish

    text = (root / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    stem, names, faults = SearchEnglish({}).stem, index["docnames"], []
    for word, wanted in SEARCHES.items():
        found: set[str] = set()
        for table in ("terms", "titleterms"):
            for form in {word.lower(), stem(word.lower())}:
                numbers = index[table].get(form, [])
                found |= {names[k] for k in ([numbers] if isinstance(numbers, int) else numbers)}
        if wanted not in found:
            faults.append(f"search for {word!r} does not find {wanted}: {sorted(found)[:5]}")
    return faults


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/_build/html").resolve()))
