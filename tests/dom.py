"""
A small document tree: what a browser makes of well-formed HTML.

It is strict where a browser would guess: an end tag too many or too few is an error,
since a page that needs guessing may not look the same in pieces as at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser

VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta",
    "source", "track", "wbr",
}  # fmt: skip
DROPS_FIRST_NEWLINE = {"pre", "textarea", "listing"}
"""Elements in which a browser skips a newline right after the start tag."""
SPACE = " \t\n\r\f"


class Element:
    """An element; text stands among its children as plain strings."""

    def __init__(self, tag: str, attributes: dict[str, str] | None = None) -> None:
        self.tag = tag
        self.attributes = attributes or {}
        self.children: list[Element | str] = []
        self.parent: Element | None = None

    @property
    def id(self) -> str:
        """The element's id, or nothing."""
        return self.attributes.get("id", "")

    @property
    def classes(self) -> list[str]:
        """The element's classes."""
        return self.attributes.get("class", "").split()

    def append(self, *nodes: Element | str) -> None:
        """Add nodes at the end; text joins the text before it, as in a browser."""
        self.insert(len(self.children), *nodes)

    def insert(self, place: int, *nodes: Element | str) -> None:
        """Add nodes before the child at a place; an element leaves where it was."""
        for number, node in enumerate(nodes):
            if isinstance(node, Element):
                node.remove()
                node.parent = self
            self.children.insert(place + number, node)

    def remove(self) -> None:
        """Take the element out of its parent."""
        if self.parent is not None:
            del self.parent.children[self.place]
            self.parent = None

    def replace(self, *nodes: Element | str) -> None:
        """Put nodes in the element's place."""
        parent, place = self.parent, self.place
        assert parent is not None
        self.remove()
        parent.insert(place, *nodes)

    def take(self) -> list[Element | str]:
        """Empty the element and return what it held."""
        nodes, self.children = self.children, []
        for node in nodes:
            if isinstance(node, Element):
                node.parent = None
        return nodes

    @property
    def place(self) -> int:
        """Where among its parent's children the element stands."""
        assert self.parent is not None
        siblings = self.parent.children
        return next(at for at, node in enumerate(siblings) if node is self)

    def walk(self) -> Iterator[Element]:
        """Yield the element and all below it, in the document's order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def find(self, key: str) -> Element | None:
        """Return the element with an id, at or below this one."""
        return next((node for node in self.walk() if node.id == key), None)

    def with_class(self, name: str) -> list[Element]:
        """Return the elements that have a class, at or below this one."""
        return [node for node in self.walk() if name in node.classes]

    @property
    def text(self) -> str:
        """The text of the element and all below it."""
        return "".join(
            child if isinstance(child, str) else child.text for child in self.children
        )

    @property
    def html(self) -> str:
        """The element, written in one way only: equal trees give equal strings."""
        names = sorted(self.attributes.items())
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in names)
        if self.tag in VOID:
            return f"<{self.tag}{attributes}>"
        return f"<{self.tag}{attributes}>{self.inner_html}</{self.tag}>"

    @property
    def inner_html(self) -> str:
        """What the element holds, written in one way only."""
        return "".join(
            escape(child, quote=False) if isinstance(child, str) else child.html
            for child in self.children
        )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#root")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        # The slash ends an element in SVG and MathML only; HTML does not see it.
        if tag not in VOID and self._is_foreign():
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, (
            f"</{tag}> where <{self.open[-1].tag}> is open, line {self.getpos()}"
        )
        self.open.pop()

    def handle_data(self, data: str) -> None:
        parent = self.open[-1]
        if not parent.children and parent.tag in DROPS_FIRST_NEWLINE:
            data = re.sub(r"\A\r?\n", "", data)
        if data:
            parent.append(data)

    def _is_foreign(self) -> bool:
        return any(element.tag in {"svg", "math"} for element in self.open)


def parse(html: str) -> Element:
    """Return a root that holds what the HTML says; AssertionError where it is broken."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is never closed"
    return reader.root
