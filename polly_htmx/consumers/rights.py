"""Rights: whether open sockets may still be here, asked in one go for all that are due."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import opening
from polly_htmx.chat.lots import Lots
from polly_htmx.chat.opening import Asked, Opened
from polly_htmx.exceptions import AccessDenied

HELD = 0.015
"""Seconds after which others get at the database before the next session is read: all
sockets of a process work in one thread, and somebody may be sending a message."""

Asker = Any
"""A TurnTaker that is a consumer as well, and so has a scope."""
Open = Callable[[list[Asked]], list[Opened]]

_ROOM = __name__.rpartition(".")[0]
_OURS: dict[str, Open] = {
    f"{_ROOM}.chat": opening.open_conversations,
    f"{_ROOM}.admin": opening.open_all_as_staff,
}


@dataclass(frozen=True, slots=True)
class _Question:
    """Who is behind an open socket, and may they open a conversation, if it has one?"""

    scope: Any
    session: str
    key: str = ""
    open_all: Open | None = None


_Answer = tuple[Who, Any]


def session(line: Any) -> str:
    """Return what all sockets of one session have in common; "" where it has no user."""
    user, kept = line.scope.get("user"), line.scope.get("session")
    key = getattr(kept, "session_key", None)
    return f"{key} {user.pk}" if key and line.who.user else ""


async def ask_again(asker: Asker) -> None:
    """
    See TurnTaker.open_for(); raises AccessDenied.

    A host's own authorise() may look at whatever it likes, so there each asks by itself.
    """
    open_all = _OURS.get(type(asker).authorise.__module__)
    if open_all is None:
        await asker.open_for(lambda: access.who_now(asker.scope), asker.key)
        return
    question = _Question(asker.scope, session(asker), asker.key, open_all)
    asker.who, asker.conversation = await _lots.ask(question)


async def who_is_there(line: Any) -> Who:
    """Return who is behind an open socket that has no conversation."""
    person, _nothing = await _lots.ask(_Question(line.scope, session(line)))
    return person


def _answer(questions: list[_Question]) -> list[_Answer | Exception | None]:
    """Return who asks and what they may open, what that raises, or None for later."""
    answers: list[_Answer | Exception | None] = []
    asked: dict[Open, dict[int, Asked]] = {}
    for question, person in zip(questions, _people(questions), strict=True):
        if isinstance(person, Who) and question.open_all is not None:
            here = asked.setdefault(question.open_all, {})
            here[len(answers)] = person, question.key
        answers.append((person, None) if isinstance(person, Who) else person)
    for open_all, here in asked.items():
        for place, opened in zip(here, open_all([*here.values()]), strict=True):
            if isinstance(opened, AccessDenied):
                answers[place] = opened
            else:
                answers[place] = here[place][0], opened
    return answers


def _people(questions: list[_Question]) -> list[Who | Exception | None]:
    """Return who is behind each, for as many as there is time; each session once."""
    known: dict[str | int, Who | Exception | None] = {}
    until = time.monotonic() + HELD
    for place, question in enumerate(questions):
        name = question.session or place
        if name not in known:
            is_late = bool(known) and time.monotonic() > until
            known[name] = None if is_late else _person(question)
    return [known[each.session or place] for place, each in enumerate(questions)]


def _person(question: _Question) -> Who | Exception:
    try:
        return access.who_now(question.scope)
    except Exception as exc:  # noqa: BLE001  (each store of sessions has its own faults)
        return exc


_lots = Lots(_answer)
