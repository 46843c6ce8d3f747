"""The follower: whatever is lost, late or doubled, the page ends as the text."""

from __future__ import annotations

import os
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any, TypeVar, cast

import pytest
from django.utils.html import escape
from hypothesis import given, settings as hypothesis_settings, strategies as st

from polly_htmx import fragments
from polly_htmx.chat import dispatch, display as display_module, layer
from polly_htmx.chat.conversations import Sight
from polly_htmx.chat.display import Display
from polly_htmx.chat.events import Event, ReplyEnded, TurnTaken
from polly_htmx.consumers import follower as follower_module, view
from polly_htmx.consumers.follower import Follower
from polly_htmx.consumers.outbox import Outbox
from polly_htmx.consumers.view import Frames
from polly_htmx.markdown import render, verbatim
from polly_htmx.models import Message, Parrot, ParrotVersion, SmartConversation, short
from tests.applied import Page
from tests.dom import Element, parse
from tests.markdown.page import rows_joined
from tests.markdown.test_stream import SNIPPETS

LONG = os.environ.get("POLLY_LONG") == "1"
T = TypeVar("T")
RUN = "a run"
KEY = uuid.UUID(int=7)
PARTS = "".join(
    f'<div id="polly-{name}"></div>'
    for name in (f"line-{KEY}", f"error-{KEY}", f"status-{short(str(KEY))}")
)
EMPTY = (
    f'<div id="polly-log-{KEY}"><div id="polly-recent-{KEY}"></div></div>'
    f'{PARTS}<span id="polly-stop-{short(str(KEY))}"></span>'
)
OFTEN = {"deliver": 10, "late": 1, "twice": 1, "lose": 1}
"""What may become of an event on its way, and how often."""
DEEDS = {
    **OFTEN,
    "grow": 8,
    "answer": 2,
    "save": 1,
    "join": 0.5,
    "poll": 0.5,
    "doubt": 0.3,
    "seen": 1,
    "slow": 0.3,
}
"""What may happen besides."""
ODD = "\r\n<b>a &amp; b</b> \r"
"""What is thought: HTML, and half a line end."""
EARLY = 0.3
"""How often a reply ends before it is whole."""
WORDS = ["A sentence. ", "Some words ", "and more. ", "\n\n"] * 8


class World:
    """One reply, the run that writes it, its row, and a page that follows it."""

    def __init__(self, text: str, cuts: list[int], before: str = "") -> None:
        """Make a reply of a text in pieces; see think() for what comes before it."""
        parrot = Parrot(pk=1, name="Polly")
        self.conversation = SmartConversation(pk=1, external_id=KEY, parrot=parrot)
        self.reply = Message(
            pk=1,
            external_id=uuid.UUID(int=8),
            conversation=self.conversation,
            parent_id=1,
            sequence=2,
            party=Message.Party.ASSISTANT,
            status=Message.Status.PENDING,
            version=ParrotVersion(parrot=parrot),
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.row = ("", "", Message.Status.PENDING)
        self.before = [*before]
        self.at_last = ""
        self.thoughts = ""
        self.state = "running"
        self.text = text
        self.left = pieces(text, cuts)
        self.display = Display(self.reply, RUN, lambda: self.holds)
        self.coming: list[Event] = []
        self.right = {normal("")}
        """All that the page may ever show: the text as it was at some moment."""
        self.slow = False
        self.holds = True
        """Whether the run may show what it writes."""

    async def do(self, deed: str, number: int) -> None:
        """Do one of DEEDS."""
        if deed in OFTEN:
            await self.carry(deed, number)
        elif deed in {"doubt", "seen", "slow"}:
            self.holds ^= deed == "doubt"
            self.slow = deed == "slow"
            await self.follower.ask()
        else:
            await getattr(self, deed)()

    async def carry(self, deed: str, number: int) -> None:
        """Bring an event to the follower, or do not."""
        if not self.coming:
            return
        place = number % len(self.coming) if deed in {"late", "lose"} else 0
        event = self.coming[place] if deed == "twice" else self.coming.pop(place)
        if deed != "lose":
            await self.show(self.follower.frames(event))

    async def answer(self) -> None:
        """Tell whoever has asked how the reply stands."""
        await self.display._answer()

    async def poll(self) -> None:
        """Have the follower look at the database."""
        await self.show(self.follower.poll())

    async def grow(self) -> None:
        """Take a piece of the answer from the model, and show it."""
        if not self.left and not self.before:
            return
        if self.row[2] == Message.Status.PENDING:
            self.row = ("", "", Message.Status.STREAMING)
        if self.before:
            self.think(self.before.pop(0))
        else:
            self.display.speak()
            self.display.add(self.left.pop(0))
        await self.display._show()
        self.right.add(normal("".join(self.display._stream.whole())))

    def think(self, step: str) -> None:
        """Do what a letter says: wake, think of something odd, or answer a bit."""
        if step == "w":
            self.display.wake()
        elif step == "a" and self.left:
            self.display.speak()
            self.display.add(self.left.pop(0))
        else:
            self.display.think(ODD)

    async def save(self) -> None:
        """Write a checkpoint."""
        if self.row[2] == Message.Status.STREAMING:
            thoughts = self.display.thoughts.text
            self.row = (self.display.text, thoughts, Message.Status.STREAMING)
            self.right.add(normal(render(self.display.text)))

    async def end(self, *, early: bool = False) -> ReplyEnded:
        """Come to the end of the answer, or stop before it, and save it."""
        if early:
            self.left, self.before, self.text = [], [], self.display.text
        while self.left or self.before:
            await self.grow()
        # The last of it may never have been shown in between.
        for step in self.at_last:
            self.think(step)
        last = await self.display.end()
        self.thoughts = self.display.thoughts.text
        self.row = (self.text, self.thoughts, Message.Status.COMPLETE)
        self.state = "ended"
        self.right.add(normal(render(self.text)))
        return ReplyEnded(
            reply_id=1,
            status="complete",
            error="",
            finish_reason="stop",
            state=self.state,
            **asdict(last),
        )

    async def join(self) -> None:
        """Load the page, and follow from there."""
        self.page, self.slow = Page(EMPTY), False
        self.page.apply(fragments.snapshot(self.conversation, self.stored()))
        self.follower = Follower(
            self.conversation,
            reader="owner",
            language="en",
            outbox=cast("Outbox", self),
        )
        await self.show(self.follower.begin(self.state, 0))

    async def show(self, coming: Awaitable[Frames]) -> None:
        """Put frames on the page, which must show a moment of the text after each."""
        for frame in await coming:
            self.page.apply(frame)
            assert not self.page.strays
            assert self.shown in self.right, self.shown
            told = verbatim(self.display.thoughts.text)
            assert told.startswith(self.shown_thoughts)

    @property
    def is_slow(self) -> bool:
        """Stand in for the page's outbox."""
        return self.slow

    def stored(self) -> list[Message]:
        """Return the reply as the database has it."""
        reply = copy(self.reply)
        reply.content, reply.reasoning, reply.status = self.row
        return [reply]

    def look(self, conversation: SmartConversation, state: str, first: int) -> Sight:
        """Stand in for conversations.look()."""
        reply = self.stored()
        return Sight(
            state=self.state,
            last=2,
            missed=None if state == self.state else reply,
            running=reply[0] if reply[0].is_running else None,
        )

    def assert_equals_fresh(self) -> None:
        """Fail unless the page shows what one shows that is loaded now."""
        fresh = Page(EMPTY)
        reply = self.stored()[0]
        reply.finish_reason = "stop"
        fresh.apply(fragments.snapshot(self.conversation, [reply]))
        self.page.assert_equals(fresh, str(KEY))
        assert self.shown_thoughts == verbatim(self.thoughts)

    @property
    def shown_thoughts(self) -> str:
        """What the page shows of the thoughts."""
        found = self.page.root.find(f"polly-thought-{self.reply.external_id}")
        return "" if found is None else escape(found.text)

    @property
    def shown(self) -> str:
        """What the page shows of the answer, the tail's own element left out."""
        content = self.page.element(f"polly-content-{self.reply.external_id}")
        inner = [
            child.inner_html
            if isinstance(child, Element) and "polly-tail" in child.classes
            else child.html
            if isinstance(child, Element)
            else child
            for child in content.children
        ]
        return rows_joined("".join(inner))


def pieces(text: str, cuts: list[int]) -> list[str]:
    """Return the text in pieces."""
    ends = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(ends)]


def normal(html: str) -> str:
    """Return HTML as a page writes it."""
    return rows_joined(parse(html).inner_html)


@contextmanager
def outside(world: World) -> Iterator[None]:
    """Put a world in the place of the database and the layer."""

    async def publish(_conversation: Any, event: Event) -> None:
        world.coming.append(event)

    async def send(_channel: str, event: Event) -> None:
        world.coming.append(event)

    async def ask(_reply_id: int, channel: str) -> None:
        world.display.ask(channel)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer, "apublish", publish)
        patch.setattr(layer, "asend", send)
        patch.setattr(dispatch, "ask", ask)
        patch.setattr(follower_module, "in_database", at_once)
        patch.setattr(view, "in_database", at_once)
        patch.setattr(follower_module, "look", world.look)
        patch.setattr(view, "with_ids", lambda *_: world.stored())
        # Else nearly all of these texts would be sent whole at their end.
        patch.setattr(display_module, "SHORT", 60)
        yield


def at_once(work: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    """Call a function without a thread: nothing here reads a database."""

    async def call(*args: Any) -> T:
        return work(*args)

    return call


@pytest.mark.no_cover
@hypothesis_settings(deadline=None, max_examples=1_500 if LONG else 80)
@given(chance=st.randoms(use_true_random=True))
async def test_page_shows_only_moments_of_the_text_and_at_last_all_of_it(
    chance: Random,
) -> None:
    text = "".join(chance.choices([*SNIPPETS, *WORDS], k=chance.randint(1, 40)))
    before = "".join(chance.choices("wtta", k=chance.choice([0, 0, 3, 9])))
    world = World(text, chance.choices(range(400), k=chance.randint(0, 25)), before)
    world.at_last = chance.choice(["", "t"]) if before else ""
    with outside(world):
        await world.join()
        for deed in chance.choices(
            [*DEEDS], [*DEEDS.values()], k=chance.choice([8, 60])
        ):
            await world.do(deed, chance.randint(0, 9))
        end = await world.end(early=chance.random() < EARLY)
        await world.show(world.follower.frames(end))
        text = world.text
        assert world.shown == normal(render(text))
        world.assert_equals_fresh()
        for deed in chance.choices(
            [*OFTEN, "poll"], k=5
        ):  # What is late changes nothing.
            await world.do(deed, 0)
        assert world.shown == normal(render(text))
        world.assert_equals_fresh()


@pytest.mark.parametrize("knows_the_end", [False, True])
async def test_turn_that_overtakes_what_came_before_it_is_shown_with_all_the_rest(
    knows_the_end: bool,
) -> None:
    # The reply ends in one process, and the next turn is taken in another: nobody
    # says which word of the two comes first, or whether the other comes at all.
    world = World("Hello there. And more.", [5])
    with outside(world), pytest.MonkeyPatch.context() as patch:
        await world.join()
        await world.grow()
        await world.carry("deliver", 0)
        end = await world.end()
        if knows_the_end:
            await world.show(world.follower.frames(end))
        world.state = "9-later"
        next_one = Message(pk=9, conversation=world.conversation, parent_id=3)
        next_one.sequence, next_one.party = 9, Message.Party.USER
        patch.setattr(view, "with_ids", lambda *_: [next_one])
        turn = TurnTaken(message_id=9, reply_id=None, state=world.state)
        await world.show(world.follower.frames(turn))
        assert world.shown == normal(render(world.text))
        assert world.follower.state == world.state
        await world.show(world.follower.frames(end))
        assert world.shown == normal(render(world.text))


async def test_page_whose_answer_is_lost_asks_again_though_events_go_on() -> None:
    # A channel that overflows loses the word of how the reply stands with the rest.
    world = World("One. " * 40, [*range(5, 200, 5)])
    with outside(world):
        await world.join()
        for lost in (False, True, False):
            await world.grow()
            await world.carry("lose" if lost else "deliver", 0)
        assert world.follower._number is None
        known = world.follower.heard
        await world.answer()
        await world.carry("lose", 0)
        await world.grow()
        await world.carry("deliver", 0)
        # By this the watch finds it, and has it look.
        assert world.follower.heard == known
        await world.save()
        await world.poll()
        assert world.shown == normal(render(world.display.text))
        await world.answer()
        await world.carry("deliver", 0)
        await world.grow()
        await world.carry("deliver", 0)
        assert world.follower.heard > known


async def test_slow_page_is_not_sent_the_whole_by_the_database() -> None:
    world = World("One. " * 40, [*range(5, 200, 5)])
    with outside(world):
        await world.join()
        await world.grow()
        await world.carry("deliver", 0)
        world.slow = True
        for _ in range(3):
            await world.grow()
            await world.carry("deliver", 0)
            await world.save()
            assert await world.follower.poll() == []
