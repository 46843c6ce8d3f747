"""
What htmx makes of a page and the frames of its socket, without a browser.

Only what htmx 2 and htmx 4 do alike is known here; a frame that they would read in
two ways is an error.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from tests.dom import SPACE, Element, parse

EXACT = {"polly-message__content", "polly-thoughts__text"}
"""The classes of what must be equal to the last space."""


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """What only one of two pages may have."""

    classes: Collection[str] = ()
    """Elements with one of these are left out, with all below them."""
    attributes: Collection[str] = ()
    """Left out wherever they stand."""


NOTHING = Ignored()


@dataclass
class Page:
    """A page as a browser holds it, changed by frames."""

    html: str
    strays: list[str] = field(default_factory=list)
    """Pieces of frames whose target was not on the page: htmx drops them."""

    def __post_init__(self) -> None:
        self.root = parse(self.html)

    def apply(self, frame: str) -> None:
        """Do what the pieces of a frame say, one after the other."""
        for piece in parse(frame).take():
            if isinstance(piece, Element):
                self._swap(piece)
                self._run_script(piece.id)
            else:
                assert not piece.strip(SPACE), f"htmx drops bare text: {piece[:80]!r}"

    def _run_script(self, key: str) -> None:
        """Do what chat.js does: the foot of a message tells its status."""
        foot = self.root.find(key) if key.startswith("polly-foot-") else None
        if foot is not None and foot.parent is not None:
            status = foot.attributes["data-polly-status"]
            foot.parent.attributes["data-status"] = status

    def log(self, conversation: str) -> Element:
        """Return the log of a conversation."""
        return self.element(f"polly-log-{conversation}")

    def element(self, key: str) -> Element:
        """Return the element with an id, of which there must be one."""
        found = [node for node in self.root.walk() if node.id == key]
        assert len(found) == 1, f"{len(found)} elements have the id {key}."
        return found[0]

    def attribute(self, *names: str) -> str:
        """Return the first attribute of one of these names, or nothing."""
        values = (
            node.attributes[name]
            for node in self.root.walk()
            for name in names
            if name in node.attributes
        )
        return next(values, "")

    def assert_equals(
        self, other: Page, conversation: str, ignored: Ignored = NOTHING
    ) -> None:
        """Fail unless both show the same log, to the last space inside messages."""
        assert not self.strays, f"Frames missed their targets: {self.strays[:3]}"
        mine, others = (
            [*lines(page.log(conversation), ignored)] for page in (self, other)
        )
        difference = "\n".join(
            difflib.unified_diff(mine, others, "live", "fresh", lineterm="", n=2)
        )
        assert not difference, difference[:4000]

    def _swap(self, piece: Element) -> None:
        style, key = swap_of(piece)
        nested = [node for node in piece.walk() if "hx-swap-oob" in node.attributes]
        assert not nested, f"htmx 4 swaps {nested[0].html[:80]} too, htmx 2 does not."
        target = self.root.find(key)
        if target is None:
            self.strays.append(f"{style}:#{key}")
            return
        held = self._hold_back(piece)
        _STYLES[style](target, piece)
        for element in held:
            if (place := self.root.find(element.id)) is not None:
                place.replace(element)

    def _hold_back(self, piece: Element) -> list[Element]:
        """Take what a piece says to preserve off the page, where it is there."""
        kept = [node for node in piece.walk() if "hx-preserve" in node.attributes]
        found = [self.root.find(node.id) for node in kept]
        held = [element for element in found if element is not None]
        for element in held:
            element.remove()
        return held


def swap_of(piece: Element) -> tuple[str, str]:
    """Return how and where a piece of a frame goes, and take the order off it."""
    order = piece.attributes.pop("hx-swap-oob", "true")
    style, _, selector = order.partition(":")
    style = "outerHTML" if style == "true" else style
    assert style in _STYLES, f"htmx 2 and 4 may not both know {order!r}."
    assert not selector or re.fullmatch(r"#[\w-]+", selector), selector
    assert selector or piece.id, f"Nothing says where {piece.html[:80]} goes."
    return style, selector.removeprefix("#") or piece.id


def _inner(target: Element, piece: Element) -> None:
    target.take()
    target.append(*piece.take())


def _before(target: Element, piece: Element) -> None:
    assert target.parent is not None
    target.parent.insert(target.place, *piece.take())


def _after(target: Element, piece: Element) -> None:
    assert target.parent is not None
    target.parent.insert(target.place + 1, *piece.take())


_STYLES: dict[str, Callable[[Element, Element], None]] = {
    "outerHTML": lambda target, piece: target.replace(piece),
    "innerHTML": _inner,
    "beforebegin": _before,
    "afterbegin": lambda target, piece: target.insert(0, *piece.take()),
    "beforeend": lambda target, piece: target.append(*piece.take()),
    "afterend": _after,
    "delete": lambda target, _piece: target.remove(),
}


def lines(element: Element, ignored: Ignored = NOTHING) -> Iterator[str]:
    """Yield an element line by line, the same for logs that must count as equal."""
    if not set(ignored.classes).isdisjoint(element.classes):
        return
    attributes = {
        name: value
        for name, value in element.attributes.items()
        if name not in ignored.attributes
    }
    yield Element(element.tag, attributes).html
    if not EXACT.isdisjoint(element.classes):
        # A line for each tag, so that a difference can be found.
        yield from _without(element, ignored).inner_html.replace("<", "\n<").split("\n")
        return
    yield from _lines_inside(element, ignored)


def _lines_inside(element: Element, ignored: Ignored) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, Element):
            yield from lines(child, ignored)
        elif text := re.sub(f"[{SPACE}]+", " ", child).strip():
            yield text
    yield f"</{element.tag}>"


def _without(element: Element, ignored: Ignored) -> Element:
    """Return a copy that lacks what is ignored."""
    copy = Element(
        element.tag,
        {
            name: value
            for name, value in element.attributes.items()
            if name not in ignored.attributes
        },
    )
    for child in element.children:
        if isinstance(child, str):
            copy.append(child)
        elif set(ignored.classes).isdisjoint(child.classes):
            copy.append(_without(child, ignored))
    return copy
