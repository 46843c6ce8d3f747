"""
Soak: some people do all that a page can do, at random, while everything breaks.

Lines are cut, the provider fails, and now and then a process is killed: one that
answers by itself, one that leaves it to a worker, or the worker. Afterwards the
database, the pages and the provider agree on every turn. The moments and the deeds
come from a seed; POLLY_LONG=1 goes on for a thousand messages.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.fake_provider import Exchange, FakeProvider
from tests.line import Line
from tests.live import Site, Worker
from tests.patience import PATIENCE
from tests.programs import Program
from tests.rows import Person, PostgresRows, Row
from tests.services import Redis
from tests.survival.conftest import models, polly
from tests.survival.kills import kill_now_and_then
from tests.survival.talks import Talk

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

LONG = os.environ.get("POLLY_LONG") == "1"
SEED = int(os.environ.get("POLLY_SEED", "3"))
SECONDS = 60
MESSAGES = 1_000 if LONG else 24
KILLS = 2
"""Of each process, at least: on a slow machine it goes on until then."""
PEOPLE = 10 if LONG else 6
CHATS = 40 if LONG else 16
LEASE = 5.0
"""Seconds: enough for a busy machine, and what is lost is found before the end."""
MOST = 12
"""Messages that are sent in one conversation: a page that has just been loaded shows
no more of them."""
TABS = 3
ENDS = {"complete", "stopped", "failed", "interrupted"}
WORDS = [f"word{number}" for number in range(25)]
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


@dataclass(frozen=True, kw_only=True)
class Town:
    """The processes that a soak is about."""

    sites: list[Site]
    worker: Worker

    @property
    def victims(self) -> dict[str, Program]:
        """Whoever may be killed, by name."""
        return {"own": self.sites[0], "web": self.sites[1], "worker": self.worker}


@pytest.fixture(scope="module")
def town(rows: PostgresRows, redis: Redis, provider: FakeProvider) -> Iterator[Town]:
    """
    Return processes whose model is as fickle as its users.

    One web process writes its replies itself, the other leaves them to a worker.
    """
    provider.scripts["soak"] = soak
    settings = polly(
        **models(provider.url, "soak"),
        FIRST_TOKEN_TIMEOUT=1,
        REPLY_LEASE=LEASE,
        # A message is taken or refused here: what waits has tests of its own.
        MAX_QUEUED=0,
        # One run is one call here, and faults are wished for.
        RETRIES=0,
        BREAKER_SECONDS=0,
    )
    by_worker = {**settings, "REPLIES": "worker"}
    with (
        Worker(polly=by_worker, rows=rows, layer=redis.layer, is_fork=False) as worker,
        Site(polly=settings, rows=rows, layer=redis.layer, is_fork=False) as own,
        Site(polly=by_worker, rows=rows, layer=redis.layer, is_fork=False) as web,
    ):
        yield Town(sites=[own, web], worker=worker)


async def test_database_pages_and_provider_agree_on_every_turn(
    town: Town, rows: PostgresRows, provider: FakeProvider
) -> None:
    people = await asyncio.to_thread(rows.people, PEOPLE, CHATS, "soak")
    talks: list[Talk] = []
    deaths: Counter[str] = Counter()
    until = time.monotonic() + SECONDS

    def is_over() -> bool:
        killed = min(deaths[name] for name in town.victims)
        sent = sum(len(talk.acked) for talk in talks)
        return time.monotonic() > until and killed >= KILLS and sent >= MESSAGES

    async def talk_all_the_time(person: Person) -> None:
        for chat in person.conversations:
            if not is_over():
                talks.append(make_talk(town.sites, len(talks), chat, person))
                await talk_once(talks[-1], rows, is_over)

    try:
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(talk_all_the_time(person))
            chance = random.Random(SEED)
            group.create_task(kill_now_and_then(town.victims, deaths, chance, is_over))
        check_calls(provider, rows, talks)
        check_mixture(talks, rows)
    except BaseException:
        print(f"POLLY_SEED={SEED}", *(talk.deeds for talk in talks), sep="\n")
        raise


def make_talk(sites: list[Site], number: int, chat: str, person: Person) -> Talk:
    """Return a talk with tabs on both sites."""
    lines = [Line(sites[n % 2], chat, person.cookie) for n in range(TABS)]
    return Talk(number, lines, random.Random(SEED * 1_000 + number))


async def talk_once(
    talk: Talk, rows: PostgresRows, is_over: Callable[[], bool]
) -> None:
    """Have one conversation, and compare what is there with what was seen."""
    for line in talk.lines:
        await talk.load(line)
    try:
        await talk.go_on(lambda: len(talk.sent) >= MOST or is_over())
        for line in talk.lines:
            await talk.be_heard(line)
        await settled(talk, rows)
        for line in talk.lines:
            await talk.agrees(line)
        check_rows(talk, rows)
    finally:
        await asyncio.gather(*(line.hang_up() for line in talk.lines))


async def settled(talk: Talk, rows: PostgresRows) -> None:
    """Return when no reply runs any more; what is lost is found where somebody looks."""
    async with asyncio.timeout(PATIENCE):
        while not ENDS.issuperset(row["status"] for row in rows.messages(talk.chat)):
            for line in talk.lines:
                await talk.on_line(line)
            await asyncio.sleep(0.1)


def check_rows(talk: Talk, rows: PostgresRows) -> None:
    """Fail unless all that was acknowledged is there once, and in order."""
    messages = rows.messages(talk.chat)
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
            assert parent is not None
            check_reply(row, parent)


def check_reply(reply: Row, question: Row) -> None:
    """Fail unless a reply answers its own question, and says how it ended."""
    whole = " ".join([f"To {question['content']}:", *WORDS]) + " "
    own = whole.startswith(reply["content"]) or reply["content"].startswith("To goes")
    first = reply["content"].partition("To goes on")[0]
    assert own or whole.startswith(first), reply["content"]
    assert reply["status"] in ENDS, reply
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
    # Not each kill meets a reply, and people let broken ones go on.
    assert min(ends.get(name, 0) for name in ENDS - {"interrupted"}) >= 2, ends
    assert sum(len(talk.acked) for talk in talks) >= MESSAGES


def check_calls(provider: FakeProvider, rows: PostgresRows, talks: list[Talk]) -> None:
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
