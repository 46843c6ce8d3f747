"""Together: many sockets, one reading; and a fault or a farewell harms no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from django.test import Client

from polly_htmx import access, fragments
from polly_htmx.consumers import together as module
from polly_htmx.consumers.together import KEPT, made, together
from polly_htmx.models import Parrot, SmartConversation
from tests.sockets import page


class Work:
    """Something that is done, as often as it is asked for."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.times = 0
        self.fault = fault
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.times += 1
        await self.may_end.wait()
        if self.fault:
            raise self.fault
        return self.times


async def begun(work: Work, count: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(together("key", work)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_meanwhile_shares_and_who_comes_later_does_not() -> None:
    work = Work()
    tasks = await begun(work, 3)
    work.may_end.set()
    assert await asyncio.gather(*tasks) == [1, 1, 1]
    assert await together("key", work) == 2


async def test_one_that_goes_away_takes_nothing_from_the_others() -> None:
    work = Work()
    first, second = await begun(work, 2)
    first.cancel()
    await asyncio.wait({first})
    work.may_end.set()
    assert await second == 1


async def test_fault_reaches_all_who_wait_and_is_not_kept() -> None:
    work = Work(ValueError("it"))
    tasks = await begun(work, 2)
    work.may_end.set()
    for task in tasks:
        with pytest.raises(ValueError, match="it"):
            await task
    work.fault = None
    assert await together("key", work) == 2


def test_what_is_made_is_kept_for_a_while() -> None:
    calls: list[int] = []
    for number in [*range(KEPT + 1), KEPT, 0]:
        made(("a test", number), partial(calls.append, number))
    assert calls == [*range(KEPT + 1), 0]
    assert len(module._made) <= KEPT


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("replies")
async def test_tabs_of_one_person_share_what_is_read_and_rendered(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
    scripted: Callable[..., None],
) -> None:
    scripted(text="One two.")
    await Parrot.objects.aupdate(model="SCRIPTED")
    turns = counted(monkeypatch, fragments, "turn")
    ends = counted(monkeypatch, fragments, "closed_parcels")
    async with AsyncExitStack() as stack:
        opened = [page(conversation.external_id, signed_in) for _ in range(5)]
        tabs = [await stack.enter_async_context(tab) for tab in opened]
        await tabs[0].send("Hello")
        ended = [await tab.until("has answered.") for tab in tabs]
        assert len(set(ended)) == 1
        assert all("Hello" in "".join(tab.frames) for tab in tabs)
    assert (len(turns), len(ends)) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("replies")
async def test_tabs_of_one_session_are_asked_once_and_end_together(
    conversation: SmartConversation,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("polly_htmx.consumers.watch.ROUND", 1.0)
    monkeypatch.setattr("polly_htmx.consumers.watch.TICK", 0.05)
    asked = counted(monkeypatch, access, "who_now")
    async with AsyncExitStack() as stack:
        opened = [page(conversation.external_id, signed_in) for _ in range(5)]
        tabs = [await stack.enter_async_context(tab) for tab in opened]
        asked.clear()
        await asyncio.to_thread(signed_in.logout)
        assert [await tab.close_code() for tab in tabs] == [4401] * 5
    # Perhaps once before the sign-out, and once after it.
    assert len(asked) <= 3


def counted(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> list[Any]:
    """Return a list that grows with each call of a function."""
    calls: list[Any] = []
    real = getattr(place, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(place, name, call)
    return calls
