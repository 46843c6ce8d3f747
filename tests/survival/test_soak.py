"""
Soak: some people do all that a page can do, at random, while everything breaks.

Afterwards the database, the pages and the provider agree on every turn. The moments
and the deeds come from a seed; POLLY_LONG=1 goes on for a thousand messages.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.dom import Element
from tests.fake_provider import Exchange, FakeProvider
from tests.line import RUNNING, Line
from tests.live import Site
from tests.rows import Person, PostgresRows, Row
from tests.services import Redis
from tests.survival.conftest import models, polly

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

LONG = os.environ.get("POLLY_LONG") == "1"
SEED = int(os.environ.get("POLLY_SEED", "3"))
SECONDS = 60 if LONG else 20
MESSAGES = 1_000 if LONG else 0
PEOPLE = 10 if LONG else 6
TABS = 3
PATIENCE = 30
WORDS = [f"word{number}" for number in range(25)]
FAULTS = ["cut", "reset", "rate-limited", "hang"]
TEXT = re.compile(r"\d+-\d+ [a-z-]+")
"""What a message looks like: whose, the how manieth, and what it asks for."""


async def soak(exchange: Exchange) -> None:
    """Answer a message with its own text, or with the fault that it names."""
    text = asked(exchange)
    fault = text.split()[-1]
    if fault in {"rate-limited", "hang"}:
        await exchange.provider.scripts[fault](exchange)
        return
    await exchange.head()
    for word in [f"To {text}:", *WORDS[: 10 if fault in {"cut", "reset"} else None]]:
        await exchange.delta(content=f"{word} ")
        await asyncio.sleep(0.015)
    if fault == "reset":
        exchange.reset()
    elif fault != "cut":
        await exchange.delta(finish="stop")
        await exchange.done()


def asked(exchange: Exchange) -> str:
    """Return the message that a request is about; "goes on" for a continuation."""
    last = str(exchange.body["messages"][-1]["content"]).split("\n\n")[-1]
    return last if TEXT.fullmatch(last) else "goes on"


@dataclass
class Talk:
    """One person in several tabs, who does whatever comes to mind."""

    number: int
    person: Person
    lines: list[Line]
    chance: random.Random
    sent: dict[str, str] = field(default_factory=dict)
    """Texts by their nonces, whatever became of them."""
    acked: set[str] = field(default_factory=set)
    asked_to_go_on: int = 0
    deeds: Counter[str] = field(default_factory=Counter)

    async def go_on(self, is_over: Callable[[], bool]) -> None:
        """Do one thing after another."""
        deeds: dict[str, tuple[int, Callable[[Line], Awaitable[None]]]] = {
            "send": (10, self.send),
            "send again": (2, self.send_again),
            "stop": (5, self.stop),
            "regenerate": (2, self.regenerate),
            "continue": (3, self.carry_on),
            "edit": (1, self.edit),
            "cut": (2, self.cut),
            "reload": (1, self.reload),
            "wait": (6, self.wait),
        }
        weights = [weight for weight, _deed in deeds.values()]
        while not is_over():
            name = self.chance.choices([*deeds], weights)[0]
            self.deeds[name] += 1
            line = self.chance.choice(self.lines)
            with suppress(ConnectionClosed):
                await self.on_line(line)
                await deeds[name][1](line)
            await asyncio.sleep(self.chance.uniform(0, 0.2))

    async def on_line(self, line: Line) -> None:
        """Lay a lost line again, as htmx does."""
        if line.socket is None:
            await line.connect()

    def new_text(self) -> str:
        """Return a text that nobody else sends; one in three asks for a fault."""
        wish = self.chance.choice([*FAULTS, *["please"] * 8])
        return f"{self.number}-{len(self.sent)} {wish}"

    async def send(self, line: Line) -> None:
        """Send something new, and learn what becomes of it."""
        nonce, text = uuid.UUID(int=self.chance.getrandbits(128)).hex, self.new_text()
        self.sent[nonce] = text
        await self.deliver(line, nonce)

    async def send_again(self, line: Line) -> None:
        """Send what has been taken already, as a page does that missed the word."""
        if self.acked:
            nonce = self.chance.choice(sorted(self.acked))
            await self.deliver(line, nonce)
            assert nonce in self.acked

    async def deliver(self, line: Line, nonce: str) -> None:
        """Send a message; it is taken, refused, or its line is lost."""
        since = len(line.frames)
        await line.send(self.sent[nonce], nonce=nonce)

        def is_told() -> bool:
            told = any("polly-error-" in frame for frame in line.frames[since:])
            return told or line.closed.is_set() or len(line.frames) < since

        await line.wait_until(is_told, "a word of the message", PATIENCE)
        if any(f'data-acked="{nonce}"' in frame for frame in line.frames[since:]):
            self.acked.add(nonce)

    async def stop(self, line: Line) -> None:
        """Stop what runs; if nothing does, the last answer, which is harmless."""
        if reply := self.newest(line, "ASSISTANT"):
            await line.act("stop", public_id(reply))

    async def regenerate(self, line: Line) -> None:
        """Ask for another answer."""
        if reply := self.newest(line, "ASSISTANT"):
            await line.act("regenerate", public_id(reply))

    async def carry_on(self, line: Line) -> None:
        """Have a broken answer go on."""
        reply = self.newest(line, "ASSISTANT")
        if reply and reply.attributes["data-status"] != "complete":
            self.asked_to_go_on += 1
            await line.act("continue", public_id(reply))

    async def edit(self, line: Line) -> None:
        """Put another text in the place of the last message."""
        if message := self.newest(line, "USER"):
            nonce = uuid.UUID(int=self.chance.getrandbits(128)).hex
            self.sent[nonce] = text = self.new_text()
            await line.act("edit", public_id(message), message=text, nonce=nonce)

    async def cut(self, line: Line) -> None:
        """Lose the line for a moment."""
        line.cut()
        await asyncio.wait_for(line.closed.wait(), PATIENCE)

    async def reload(self, line: Line) -> None:
        """Load the page anew."""
        await line.hang_up()
        await line.load()

    async def wait(self, line: Line) -> None:
        """Read the answer to its end, if there is one."""
        with suppress(AssertionError):
            await line.until_settled(self.chance.uniform(0.1, 0.8))

    def newest(self, line: Line, party: str) -> Element | None:
        """Return the last message of somebody that the page shows."""
        log = line.page.log(line.conversation)
        found = [e for e in log.walk() if e.attributes.get("data-party") == party]
        return found[-1] if found else None


def public_id(message: Element) -> str:
    """Return the public id of a message on the page."""
    return message.id.removeprefix("polly-message-")


@pytest.fixture(scope="module")
def sites(
    rows: PostgresRows, redis: Redis, provider: FakeProvider
) -> Iterator[list[Site]]:
    """Return two web processes whose model is as fickle as its users."""
    provider.scripts["soak"] = soak
    settings = polly(
        **models(provider.url, "soak"), FIRST_TOKEN_TIMEOUT=1, REPLY_LEASE=20
    )
    with (
        Site(polly=settings, rows=rows, layer=redis.layer) as one,
        Site(polly=settings, rows=rows, layer=redis.layer) as two,
    ):
        yield [one, two]


async def test_database_pages_and_provider_agree_on_every_turn(
    sites: list[Site], rows: PostgresRows, provider: FakeProvider
) -> None:
    people = await asyncio.to_thread(rows.people, PEOPLE, 1, "soak")
    talks = [make_talk(sites, *numbered) for numbered in enumerate(people)]
    lines = [line for talk in talks for line in talk.lines]
    await asyncio.gather(*(line.load() for line in lines))
    try:
        until = time.monotonic() + SECONDS

        def is_over() -> bool:
            enough = sum(len(talk.acked) for talk in talks) >= MESSAGES
            return enough and time.monotonic() > until

        await asyncio.gather(*(talk.go_on(is_over) for talk in talks))
        await settled(talks, rows)
        for talk in talks:
            for line in talk.lines:
                await talk.on_line(line)
                await line.assert_equals_fresh(patience=PATIENCE)
            check_rows(talk, rows)
        check_calls(provider, rows, talks)
        check_mixture(talks, rows); print(rows.all("SELECT status, error, count(*) FROM polly_htmx_message GROUP BY status, error"), sum(len(t.acked) for t in talks), len(provider.exchanges), [t.deeds for t in talks][:2])
    except BaseException:
        print(f"POLLY_SEED={SEED}", *(talk.deeds for talk in talks), sep="\n")
        raise
    finally:
        await asyncio.gather(*(line.hang_up() for line in lines))


def make_talk(sites: list[Site], number: int, person: Person) -> Talk:
    """Return a person's talk, with tabs on both sites."""
    chat = person.conversations[0]
    lines = [Line(sites[n % 2], chat, person.cookie) for n in range(TABS)]
    return Talk(number, person, lines, random.Random(SEED * 1_000 + number))


async def settled(talks: list[Talk], rows: PostgresRows) -> None:
    """Return when no reply runs any more."""
    names = tuple(mark.split('"')[1] for mark in RUNNING)
    sql = "SELECT id FROM polly_htmx_message WHERE status IN (%s, %s, %s)"
    async with asyncio.timeout(PATIENCE):
        while rows.all(sql, *names):
            await asyncio.sleep(0.1)  # Nothing to wait on: see the rows.


def check_rows(talk: Talk, rows: PostgresRows) -> None:
    """Fail unless all that was acknowledged is there once, and in order."""
    messages = rows.messages(talk.person.conversations[0])
    mine = {row["nonce"]: row["content"] for row in messages if row["nonce"]}
    assert len(mine) == sum(row["party"] == "USER" for row in messages)
    assert mine.keys() <= talk.sent.keys()
    assert talk.acked <= mine.keys()
    assert all(talk.sent[nonce] == text for nonce, text in mine.items())
    by_id = {row["id"]: row for row in messages}
    numbers = [row["sequence"] for row in messages]
    assert numbers == sorted(set(numbers))
    for row in messages:
        parent = by_id.get(row["parent_id"])
        assert parent is None or parent["sequence"] < row["sequence"]
        if row["party"] == "ASSISTANT":
            check_reply(row, parent)


def check_reply(reply: Row, question: Row) -> None:
    """Fail unless a reply answers its own question, and says how it ended."""
    whole = " ".join([f"To {question['content']}:", *WORDS]) + " "
    own = whole.startswith(reply["content"]) or reply["content"].startswith("To goes")
    first = reply["content"].partition("To goes on")[0]
    assert own or whole.startswith(first), reply["content"]
    assert reply["status"] in {"complete", "stopped", "failed"}, reply
    assert (reply["lease_owner"], reply["stop_requested"]) == (None, False)
    if reply["status"] == "complete":
        assert reply["content"].endswith(f"{WORDS[-1]} ")


def check_mixture(talks: list[Talk], rows: PostgresRows) -> None:
    """Fail unless a bit of everything has happened."""
    found = rows.all(
        "SELECT status, count(*) AS number FROM polly_htmx_message"
        " WHERE party = 'ASSISTANT' GROUP BY status"
    )
    ends = {row["status"]: row["number"] for row in found}
    assert ends.keys() == {"complete", "stopped", "failed"}
    assert min(ends.values()) >= 2, ends
    assert sum(len(talk.acked) for talk in talks) >= 4 * PEOPLE


def check_calls(
    provider: FakeProvider, rows: PostgresRows, talks: list[Talk]
) -> None:
    """Fail unless each call of the provider was for one run of one reply."""
    calls = Counter(asked(exchange) for exchange in provider.exchanges)
    again = {str(talk.number): talk.asked_to_go_on for talk in talks}
    assert calls.pop("goes on", 0) <= sum(again.values())
    replies = rows.all(
        "SELECT q.content AS text, r.content FROM polly_htmx_message r"
        " JOIN polly_htmx_message q ON q.id = r.parent_id"
        " WHERE r.party = 'ASSISTANT'"
    )
    # One that is stopped in its first moment may never have come to a call. One that
    # goes on before it has said a word asks its question again.
    sure = Counter(reply["text"] for reply in replies if reply["content"])
    most = Counter(reply["text"] for reply in replies)
    assert calls.keys() <= most.keys()
    for text, count in most.items():
        spare = again[text.partition("-")[0]]
        assert sure[text] <= calls[text] <= count + spare, text
