"""A talk: whatever people may do to a conversation in several tabs, at random."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.dom import Element
from tests.line import Line
from tests.patience import PATIENCE

AGAIN = 0.1
"""Seconds between two attempts to reach a process that is dead or not yet back."""
FAULTS = ["cut", "reset", "rate-limited", "hang"]
"""What a message may wish for instead of an answer."""


@dataclass
class Talk:
    """A conversation in several tabs, with whatever comes to the person's mind."""

    number: int
    lines: list[Line]
    chance: random.Random
    sent: dict[str, str] = field(default_factory=dict)
    """Texts by their nonces, whatever became of them."""
    acked: set[str] = field(default_factory=set)
    asked_to_go_on: int = 0
    deeds: Counter[str] = field(default_factory=Counter)

    @property
    def chat(self) -> str:
        """The public id of the conversation."""
        return self.lines[0].conversation

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
        """Lay a lost line again, as htmx does: until somebody is there."""
        async with asyncio.timeout(PATIENCE):
            while line.socket is None:
                try:
                    await line.connect()
                except (OSError, EOFError, WebSocketException):
                    await asyncio.sleep(AGAIN)

    async def load(self, line: Line) -> None:
        """Load the page; again, where its process is gone."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await line.load()
                except httpx.TransportError:
                    await asyncio.sleep(AGAIN)

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

    async def be_heard(self, line: Line) -> None:
        """Return when the server has done all that this tab has asked for."""
        heard = False
        while not heard:
            await self.on_line(line)
            since = len(line.frames)
            with suppress(ConnectionClosed):
                await line.send(" ")  # Refused in its turn: frames are taken in a row.
            heard = await self._is_refused(line, since)

    async def _is_refused(self, line: Line, since: int) -> bool:
        """Return whether the word of an empty message comes before the line is lost."""

        def is_there() -> bool:
            frames = line.frames[since:]
            return any("polly-error-" in f and "write a message" in f for f in frames)

        await line.wait_until(
            lambda: is_there() or line.closed.is_set(), "a refusal", PATIENCE
        )
        return is_there()

    async def agrees(self, line: Line) -> None:
        """Return when the tab shows what a page shows that is loaded now."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                await self.on_line(line)
                return await line.assert_equals_fresh(patience=2)
            except httpx.TransportError:
                await asyncio.sleep(AGAIN)
            except AssertionError:
                # It may have lost its line, and then it learns nothing new.
                if time.monotonic() > deadline:
                    raise

    async def cut(self, line: Line) -> None:
        """Lose the line for a moment."""
        line.cut()
        await asyncio.wait_for(line.closed.wait(), PATIENCE)

    async def reload(self, line: Line) -> None:
        """Load the page anew."""
        await line.hang_up()
        await self.load(line)

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
