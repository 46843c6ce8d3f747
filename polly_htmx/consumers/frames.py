"""Frames: what the htmx ws extension sends, read into one checked value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from polly_htmx.exceptions import BadFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame from the page."""

    action: str
    message: str
    nonce: str | None
    target: str
    """Public id of the message meant, for actions that need one."""


def parse(text: str | None) -> Frame:
    """
    Read a frame of htmx 2 or htmx 4; raises BadFrame for everything else.

    htmx 2 sends the form's fields beside a HEADERS object, htmx 4 sends them in a
    body. Only the fields below are read: whatever else a frame says, of users,
    models or prompts, is not looked at.
    """
    if text is None:
        raise BadFrame("a binary frame")
    fields = _fields(text)
    action = _text(fields, "action", default="send")
    nonce = _text(fields, "nonce", default="")
    if action == "send" and "message" not in fields:
        raise BadFrame("no message")
    # A starter's button has a name of its own beside the composer, which is empty.
    starter = _text(fields, "starter", default="")
    return Frame(
        action=action,
        message=_text(fields, "message", default="") or starter,
        nonce=nonce or None,
        target=_text(fields, "target", default=""),
    )


def _fields(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        # ValueError also covers integers of more digits than Python reads.
        raise BadFrame("not JSON") from None
    if isinstance(data, dict) and isinstance(data.get("body"), dict):
        data = data["body"]
    if not isinstance(data, dict):
        raise BadFrame("not an object")
    return data


def _text(fields: dict[str, Any], name: str, *, default: str) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise BadFrame(f"{name} is not text")
    return value
