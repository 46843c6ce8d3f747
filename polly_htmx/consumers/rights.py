"""Rights: whether open sockets may still be here, asked in one go for all that are due."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat import opening
from polly_htmx.chat.evidence import evidence_of
from polly_htmx.chat.lots import Lots
from polly_htmx.chat.opening import Asked, Opened
from polly_htmx.exceptions import AccessDenied

HELD = 0.015
"""Seconds after which others get at the database before the next session is read: all
sockets of a process work in one thread, and somebody may be sending a message."""
MOST = 50
"""Sockets that are asked in one go, for the same reason."""

Asker = Any
"""A TurnTaker that is a consumer as well, and so has a scope."""
Open = Callable[[list[Asked]], list[Opened]]

_ROOM = __name__.rpartition(".")[0]
_OURS: dict[str, Open] = {
    f"{_ROOM}.chat": opening.open_conversations,
    f"{_ROOM}.admin": opening.open_all_as_staff,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """Who is behind a socket, and the evidence for it; see evidence.py."""

    evidence: int | None
    who: Who

    def holds(self, evidence: int | None) -> bool:
        """Tell whether nothing has changed by the evidence of this moment."""
        return evidence is not None and evidence == self.evidence


@dataclass(frozen=True, slots=True)
class _Question:
    """Who is behind an open socket, and may they open its conversation, if any?"""

    line: Any
    session: str
    open_all: Open | None = None

    @property
    def is_of_staff(self) -> bool:
        """Whether permissions count, and not only who it is."""
        return self.open_all is opening.open_all_as_staff


_Answer = tuple[Proof, Any]


def session(line: Any) -> str:
    """Return what all sockets of one session have in common; "" where it has no user."""
    user, kept = line.scope.get("user"), line.scope.get("session")
    key = getattr(kept, "session_key", None)
    return f"{key} {user.pk}" if key and line.who.user else ""


def who_now(asker: Asker) -> Who:
    """See access.who_now(); asks Django only where the rows it decides by have changed."""
    (evidence,) = evidence_of([asker.scope])
    keeps = _OURS.get(type(asker).authorise.__module__) is opening.open_conversations
    asker.proof = _prove(asker, evidence, keeps_user=keeps)
    person: Who = asker.proof.who
    return person


async def ask_again(asker: Asker) -> None:
    """
    See TurnTaker.open_for(); raises AccessDenied.

    A host's own authorise() may look at whatever it likes, so there each asks by itself.
    """
    open_all = _OURS.get(type(asker).authorise.__module__)
    if open_all is None:
        await asker.open_for(lambda: access.who_now(asker.scope), asker.key)
        return
    question = _Question(asker, session(asker), open_all)
    asker.proof, asker.conversation = await _lots.ask(question)
    asker.who = asker.proof.who


async def who_is_there(line: Any) -> Who:
    """Return who is behind an open socket that has no conversation."""
    line.proof, _nothing = await _lots.ask(_Question(line, session(line)))
    person: Who = line.proof.who
    return person


def _answer(questions: list[_Question]) -> list[_Answer | Exception | None]:
    """Return who asks and what they may open, what that raises, or None for later."""
    now, later = questions[:MOST], questions[MOST:]
    answers: list[_Answer | Exception | None] = []
    asked: dict[Open, dict[int, Asked]] = {}
    for question, proof in zip(now, _proofs(now), strict=True):
        if isinstance(proof, Proof) and question.open_all is not None:
            here = asked.setdefault(question.open_all, {})
            here[len(answers)] = proof.who, question.line.key
        answers.append((proof, None) if isinstance(proof, Proof) else proof)
    for open_all, here in asked.items():
        for place, opened in zip(here, open_all([*here.values()]), strict=True):
            answers[place] = _with(answers[place], opened)
    return [*answers, *[None] * len(later)]


def _with(answer: Any, opened: Opened) -> _Answer | Exception:
    return opened if isinstance(opened, AccessDenied) else (answer[0], opened)


def _proofs(questions: list[_Question]) -> list[Proof | Exception | None]:
    """Return who is behind each, for as many as there is time; each session once."""
    evidence = evidence_of([question.line.scope for question in questions])
    names = [_alike(place, question) for place, question in enumerate(questions)]
    known: dict[Hashable, Proof | Exception | None] = {}
    until = time.monotonic() + HELD
    for name, question, rows in zip(names, questions, evidence, strict=True):
        if name not in known:
            is_late = bool(known) and time.monotonic() > until
            known[name] = None if is_late else _proof(question, rows)
    return [known[name] for name in names]


def _alike(place: int, question: _Question) -> Hashable:
    """Return what those have in common for whom one answer does."""
    return question.session or place, question.is_of_staff


def _proof(question: _Question, evidence: int | None) -> Proof | Exception:
    try:
        return _prove(question.line, evidence, keeps_user=not question.is_of_staff)
    except Exception as exc:  # noqa: BLE001  (each store of sessions has its own faults)
        return exc


def _prove(line: Any, evidence: int | None, *, keeps_user: bool) -> Proof:
    """
    Return who is behind a socket.

    ``keeps_user`` must be false where permissions count: they are no part of the
    evidence, and a user keeps those once read.
    """
    before: Proof | None = line.proof
    if keeps_user and before is not None and before.holds(evidence):
        return before
    person = access.who_now(line.scope)
    return Proof(evidence if person.user == line.scope.get("user") else None, person)


_lots = Lots(_answer)
