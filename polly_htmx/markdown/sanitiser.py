"""The second lock: only HTML from our own lists leaves this module, marked safe."""

from __future__ import annotations

import re
from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe

from polly_htmx.markdown import formulas
from polly_htmx.markdown.highlight import CLASSES
from polly_htmx.markdown.links import is_allowed, is_image_allowed
from polly_htmx.markdown.text import legible

_NAMES = (
    "a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr img li ol p pre span"
    " strong sup table tbody td th thead tr ul"
)
TAGS = frozenset(_NAMES.split())
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "img": {"alt", "src", "title"},
    "ol": {"start"},
}
# Attributes that are ours: nothing but these very values.
VALUES = {
    "a": {"target": {"_blank"}},
    "div": {"tabindex": {"0"}},
    "img": {"loading": {"lazy"}, "referrerpolicy": {"no-referrer"}},
    "pre": {"tabindex": {"0"}},
}
_ALIGNMENTS = {"polly-align-left", "polly-align-center", "polly-align-right"}
CLASSES_BY_TAG = {
    "div": {"polly-code__info", "polly-table"},
    "li": {"polly-task"},
    "p": {"polly-plain"},
    "pre": {"polly-code"},
    "span": {"polly-task__box", *CLASSES},
    "td": _ALIGNMENTS,
    "th": _ALIGNMENTS,
}
SCHEMES = frozenset({"http", "https", "mailto"})
REL = "nofollow noopener noreferrer ugc"
_CODE_CLASS = re.compile(rf"language-[A-Za-z0-9_+#.-]{{1,30}}|{formulas.CLASS}")


def sanitise(html: str) -> SafeString:
    """Return the HTML with all taken out that is not on our lists."""
    # Entities may have stood for characters that the source must not hold, so
    # the result is looked at once more.
    return mark_safe(legible(_cleaner().clean(html)))  # noqa: S308 - this is the place


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes={**ATTRIBUTES, "*": set()},
        tag_attribute_values=VALUES,
        set_tag_attribute_values={
            "a": {"target": "_blank"},
            "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
        },
        allowed_classes=CLASSES_BY_TAG,
        attribute_filter=_filter,
        generic_attribute_prefixes=set(),
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel=REL,
    )


def _filter(tag: str, name: str, value: str) -> str | None:
    """Return the value of an attribute, or None to take the attribute out."""
    allowed = True
    match tag, name:
        case "a", "href":
            allowed = is_allowed(value)
        case "img", "src":
            allowed = is_image_allowed(value)
        case "code", "class":
            allowed = _CODE_CLASS.fullmatch(value) is not None
        case "ol", "start":
            allowed = value.isdecimal()
    return value if allowed else None
