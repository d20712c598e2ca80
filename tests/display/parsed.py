"""HTML read back: is it well formed, what does it say, what would it run."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"br", "hr", "img"}


class Parsed(HTMLParser):
    """Elements, their attributes and texts; `open` is empty at the end of a well-formed text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1] == "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def checked(text: str) -> Parsed:
    """The parsed text, which is well formed, self-contained and inert."""
    parsed = Parsed(text)
    assert not parsed.open
    assert not parsed.wrong
    assert not {"script", "iframe", "link", "object"} & set(parsed.tags)
    names = [name for name, _ in parsed.attributes]
    assert "id" not in names  # two cards of one page must not meet
    assert not [name for name in names if name.startswith("on")]
    for name, value in parsed.attributes:
        if name in ("src", "href"):
            assert str(value).startswith("data:image/png;base64,")
    assert "@import" not in text
    assert "url(" not in text
    for i, tag in enumerate(parsed.tags):
        assert tag != "svg" or i  # inside of the card
    return parsed
