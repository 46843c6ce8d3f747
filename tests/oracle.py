"""
A second opinion on HTML: what a browser's parser finds in it, and whether that is inert.

Its lists are written out here on purpose, not taken from the sanitiser: a slip
there must not make itself right.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

with warnings.catch_warnings():
    # It still looks for modules that new Pythons have dropped.
    warnings.simplefilter("ignore", DeprecationWarning)
    import html5lib

TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "img", "li", "ol", "p", "pre", "span", "strong", "sup", "table", "tbody",
    "td", "th", "thead", "tr", "ul",
}  # fmt: skip
# MathML that can only be read: no links, no annotations, nothing of another kind within.
MATH = "{http://www.w3.org/1998/Math/MathML}"
MATHML = {
    "math", "mfrac", "mi", "mn", "mo", "mover", "mroot", "mrow", "mspace", "msqrt",
    "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover",
}  # fmt: skip
MATHML_VALUES = {
    "accent": r"true",
    "accentunder": r"true",
    "class": r"polly-boxed",
    "columnalign": r"left|right",
    "display": r"block",
    "displaystyle": r"true|false",
    "form": r"prefix|infix|postfix",
    "linethickness": r"0",
    "lspace": r"[0-9.]+em",
    "mathvariant": r"normal",
    "maxsize": r"[0-9.]+em",
    "minsize": r"[0-9.]+em",
    "movablelimits": r"true",
    "rspace": r"[0-9.]+em",
    "scriptlevel": r"0|1",
    "stretchy": r"true|false",
    "tabindex": r"0",
    "width": r"-?[0-9.]+em",
}
ATTRIBUTES = {
    "a": {"href", "rel", "target", "title"},
    "img": {"alt", "loading", "referrerpolicy", "src", "title"},
    "ol": {"start"},
}
CLASSES = {
    "code": r"language-[A-Za-z0-9_+#.-]{1,30}",
    "div": "polly-code__info|polly-table",
    "li": "polly-task",
    "p": "polly-plain",
    "pre": "polly-code",
    "span": r"polly-task__box|polly-hl-[a-z]+",
    "td": r"polly-align-(left|center|right)",
    "th": r"polly-align-(left|center|right)",
}
SCHEMES = {"http", "https", "mailto"}
REL = {"nofollow", "noopener", "noreferrer", "ugc"}

# What browsers drop from a URL before they look at its scheme.
_IGNORED_IN_URL = re.compile(r"[\t\n\r]|^[\x00-\x20]+|[\x00-\x20]+$")


def assert_inert(html: str, *, image_hosts: frozenset[str] = frozenset()) -> None:
    """Fail unless HTML made from Markdown can do nothing but be read."""
    found = findings(html, image_hosts=image_hosts)
    assert not found, f"{found} in {html[:500]!r}"


def findings(html: str, *, image_hosts: frozenset[str] = frozenset()) -> list[str]:
    """Return what in the HTML does not belong into rendered Markdown."""
    return [
        finding
        for element in _outside_formulas(parsed(html))
        if element.tag != "DOCUMENT_FRAGMENT"
        for finding in _of_element(element, image_hosts)
    ]


def parsed(html: str) -> Element:
    """Return the tree that a browser makes of HTML inside a div."""
    tree: Element = html5lib.parseFragment(
        html, container="div", treebuilder="etree", namespaceHTMLElements=False
    )
    return tree


def with_class(html: str, name: str) -> list[str]:
    """Return the inner HTML of each element that has the class."""
    return [
        html5lib.serialize(inside(element), tree="etree")
        for element in parsed(html).iter()
        if name in (element.get("class") or "").split()
    ]


def inside(element: Element) -> Element:
    """Return a fragment that holds what the element holds."""
    fragment = Element("DOCUMENT_FRAGMENT")
    fragment.text = element.text
    fragment.extend(list(element))
    return fragment


def text_of(html: str) -> str:
    """Return the text that a reader sees."""
    return "".join(parsed(html).itertext())


def normalised(html: str) -> str:
    """
    Return the tree as lines of text, the same for HTML that looks the same.

    Attributes are sorted; white space counts only where a browser shows it.
    """
    return "\n".join(_lines(parsed(html), 0, preserve=False))


def _of_element(element: Element, image_hosts: frozenset[str]) -> Iterator[str]:
    if is_comment(element):
        yield "comment"
        return
    if element.tag == MATH + "math":
        yield from _of_formula(element)
        return
    if element.tag not in TAGS:
        yield f"<{element.tag}>"
    for name, value in element.attrib.items():
        if not _is_attribute_known(element.tag, name, value):
            yield f"<{element.tag} {name}={value[:80]!r}>"
    if element.tag == "a":
        yield from _of_link(element)
    if element.tag == "img" and not _is_image_known(element, image_hosts):
        yield f"<img src={element.get('src')!r}>"


def is_comment(element: Element) -> bool:
    """Return whether the element stands for a comment: its tag is a function then."""
    return callable(element.tag)


def _is_attribute_known(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return not value or bool(re.fullmatch(CLASSES.get(tag, ""), value))
    if name == "tabindex":
        return tag in {"div", "pre"} and value == "0"
    return name in ATTRIBUTES.get(tag, ())


def _of_link(element: Element) -> Iterator[str]:
    href = element.get("href")
    if href is not None and _scheme(href) not in SCHEMES:
        yield f"<a href={href[:80]!r}>"
    if set((element.get("rel") or "").split()) != REL:
        yield f"<a rel={element.get('rel')!r}>"
    if element.get("target") != "_blank":
        yield f"<a target={element.get('target')!r}>"


def _outside_formulas(element: Element) -> Iterator[Element]:
    """Yield an element and those in it, of a formula only the first."""
    yield element
    if element.tag != MATH + "math":
        for child in element:
            yield from _outside_formulas(child)


def _of_formula(formula: Element) -> Iterator[str]:
    """Yield what does not belong into a formula, which our own converter has made."""
    if not len(formula):
        yield "<math> that is empty"
    for element in formula.iter():
        name = "" if is_comment(element) else element.tag.removeprefix(MATH)
        if name not in MATHML or (name == "math") != (element is formula):
            yield f"<{element.tag}> in <math>"
        for name, value in element.attrib.items():
            if not re.fullmatch(MATHML_VALUES.get(name, r"\Z."), value):
                yield f"<{element.tag} {name}={value[:80]!r}> in <math>"


def _scheme(url: str) -> str:
    """Return the scheme as a browser sees it; nothing for a relative URL."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", _IGNORED_IN_URL.sub("", url))
    return found[1].lower() if found else ""


def _is_image_known(element: Element, image_hosts: frozenset[str]) -> bool:
    source = element.get("src")
    if source is None:
        return True
    parts = urlsplit(source)
    return parts.scheme == "https" and parts.netloc.lower() in image_hosts


def _lines(element: Element, depth: int, *, preserve: bool) -> Iterator[str]:
    indent = "  " * depth
    yield from _text_line(element.text, indent, preserve=preserve)
    for child in element:
        tag = "!--" if is_comment(child) else child.tag
        attributes = "".join(f" {k}={v!r}" for k, v in sorted(child.attrib.items()))
        yield f"{indent}<{tag}{attributes}>"
        keep = preserve or tag in {"pre", "textarea"}
        if tag != "!--":
            yield from _lines(child, depth + 1, preserve=keep)
        yield from _text_line(child.tail, indent, preserve=preserve)


def _text_line(text: str | None, indent: str, *, preserve: bool) -> Iterator[str]:
    shown = (text or "") if preserve else re.sub(r"[ \t\n\r\f]+", " ", text or "")
    if shown.strip(" ") or (preserve and shown):
        yield f"{indent}{shown!r}"
