"""Hooks: their order, their vetoes, and that nothing is shown before they spoke."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import LazySettings
from django.contrib.auth.models import User
from hypothesis import given, strategies as st

from polly_htmx import exceptions
from polly_htmx.access import Who
from polly_htmx.chat import (
    aedit_message,
    astop_reply,
    atake_turn,
    edit_message,
    run_reply,
    stop_reply,
    take_turn,
)
from polly_htmx.hooks import AnswerGate, Hook, Veto, hears_messages
from polly_htmx.hooks.blocks import BlockReader
from polly_htmx.models import Message, Parrot, SmartConversation
from tests import site_hooks
from tests.chat.halves import reply_of

Hooks = Callable[..., None]


@pytest.fixture
def hooks(settings: LazySettings) -> Iterator[Hooks]:
    """Return a function that sets the chain of hooks."""

    def set_chain(*kinds: type[Hook]) -> None:
        paths = [f"tests.site_hooks.{kind.__name__}" for kind in kinds]
        settings.POLLY = {**settings.POLLY, "HOOKS": paths}

    site_hooks.asked.clear()
    yield set_chain
    site_hooks.asked.clear()


@pytest.fixture
def who(user: User) -> Who:
    return Who(user=user)


async def passed(*pieces: str) -> list[str]:
    """Return what the gate lets through after each piece and at the end."""
    gate = AnswerGate(Message())
    return [*[await gate.add(piece) for piece in pieces], await gate.end()]


# Messages


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kinds", "stored"),
    [
        ([], "Hi"),
        ([site_hooks.Shout], "HI"),
        ([site_hooks.Shout, site_hooks.Mark], "HI (seen)"),
        ([site_hooks.Mark, site_hooks.Shout], "HI (SEEN)"),
        ([site_hooks.Judge], "Hi"),
    ],
)
def test_message_passes_the_hooks_in_their_order(
    conversation: SmartConversation,
    who: Who,
    hooks: Hooks,
    kinds: list[type[Hook]],
    stored: str,
) -> None:
    hooks(*kinds)
    turn = take_turn(conversation, "Hi", who=who)
    stop_reply(reply_of(turn), who=who)
    assert turn.message.content == stored
    assert edit_message(turn.message, "Hi", who=who).message.content == stored


@pytest.mark.django_db(transaction=True)
async def test_message_passes_the_hooks_from_async_code(
    conversation: SmartConversation, who: Who, hooks: Hooks
) -> None:
    hooks(site_hooks.Shout, site_hooks.Mark)
    turn = await atake_turn(conversation, "Hi", who=who, nonce="n1")
    again = await atake_turn(conversation, "Hi", who=who, nonce="n1")
    assert (turn.message.content, again.message) == ("HI (seen)", turn.message)
    await astop_reply(reply_of(turn), who=who)
    edited = await aedit_message(turn.message, "Ho", who=who)
    assert edited.message.content == "HO (seen)"


@pytest.mark.django_db(transaction=True)
async def test_message_passes_async_hooks_in_a_thread_of_the_loop(
    conversation: SmartConversation, who: Who, hooks: Hooks
) -> None:
    hooks(site_hooks.Mark)
    turn = await sync_to_async(take_turn)(conversation, "Hi", who=who)
    assert turn.message.content == "Hi (seen)"


@pytest.mark.django_db(transaction=True)
def test_message_passes_async_hooks_below_a_loop_of_a_plain_view(
    conversation: SmartConversation, who: Who, hooks: Hooks
) -> None:
    hooks(site_hooks.Shout, site_hooks.Mark)
    turn = async_to_sync(atake_turn)(conversation, "Hi", who=who)
    assert turn.message.content == "HI (seen)"


@pytest.mark.django_db
def test_refused_message_stores_nothing_and_says_why(
    conversation: SmartConversation, who: Who, hooks: Hooks
) -> None:
    hooks(site_hooks.Watch, site_hooks.Shout)
    with pytest.raises(exceptions.MessageRefused) as caught:
        take_turn(conversation, "a secret", who=who)
    assert caught.value.user_message == "No secrets here, please."
    assert not site_hooks.asked
    assert not Message.objects.exists()
    assert take_turn(conversation, "all fine", who=who).reply


@pytest.mark.django_db
def test_message_is_checked_again_after_the_hooks(
    conversation: SmartConversation, who: Who, hooks: Hooks, settings: LazySettings
) -> None:
    hooks(site_hooks.Empty)
    with pytest.raises(exceptions.BlankMessage):
        take_turn(conversation, "Hi", who=who)
    hooks(site_hooks.Mark)
    settings.POLLY = {**settings.POLLY, "MAX_MESSAGE_CHARS": 5}
    with pytest.raises(exceptions.MessageTooLong):
        take_turn(conversation, "Hi", who=who)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [site_hooks.Broken, site_hooks.Silent])
def test_broken_hook_lets_no_message_through(
    conversation: SmartConversation,
    who: Who,
    hooks: Hooks,
    kind: type[Hook],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hooks(kind)
    with pytest.raises(exceptions.HookFailed):
        take_turn(conversation, "a canary", who=who)
    assert not Message.objects.exists()
    assert f"{kind.__name__}.message" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.django_db
def test_message_sent_again_is_known_by_what_the_hooks_made_of_it(
    conversation: SmartConversation, who: Who, hooks: Hooks
) -> None:
    hooks(site_hooks.Shout)
    first = take_turn(conversation, "Hi", who=who, nonce="n1")
    for text in ("Hi", "HI"):
        again = take_turn(conversation, text, who=who, nonce="n1")
        assert again.message == first.message
    with pytest.raises(exceptions.NonceReused):
        take_turn(conversation, "Ho", who=who, nonce="n1")
    assert site_hooks.asked == ["Hi", "Hi", "Ho"]  # Not for what stands there.


@pytest.mark.django_db
def test_hooks_are_not_asked_about_what_is_refused_anyway(
    conversation: SmartConversation, who: Who, hooks: Hooks, settings: LazySettings
) -> None:
    hooks(site_hooks.Shout)
    settings.POLLY = {**settings.POLLY, "MESSAGES_PER_MINUTE": 1}
    stop_reply(reply_of(take_turn(conversation, "Hi", who=who)), who=who)
    site_hooks.asked.clear()
    for refused, reason in (
        (partial(take_turn, text=" ", who=who), exceptions.BlankMessage),
        (partial(take_turn, text="Hi", who=Who()), exceptions.NotFound),
        (partial(take_turn, text="Hi", who=who), exceptions.TooManyMessages),
    ):
        with pytest.raises(reason):
            refused(conversation)
    assert not site_hooks.asked


def test_only_hooks_that_say_something_of_messages_are_asked(hooks: Hooks) -> None:
    hooks(site_hooks.Judge)
    assert not hears_messages()
    hooks(site_hooks.Judge, site_hooks.Watch)
    assert hears_messages()


# Answers


async def test_what_no_database_holds_is_replaced(hooks: Hooks) -> None:
    hooks(site_hooks.Careless)
    assert await passed("One") == ["", "One" + 2 * "\N{REPLACEMENT CHARACTER}"]


async def test_without_hooks_every_piece_passes_at_once(hooks: Hooks) -> None:
    assert not AnswerGate(Message()).active
    assert await passed("One", " two\n\nth", "ree") == ["One", " two\n\nth", "ree", ""]


@pytest.mark.django_db(transaction=True)
async def test_block_passes_when_it_is_whole_and_in_order(hooks: Hooks) -> None:
    hooks(site_hooks.Mark, site_hooks.Shout)
    shown = await passed("One", " two\n\n", "three", "\n \nfour\nfive\n")
    assert shown == [
        "",
        "ONE TWO (SEEN)\n\n",
        "",
        "THREE (SEEN)\n \n",
        "FOUR\nFIVE (SEEN)\n",
    ]
    assert site_hooks.asked == ["One two (seen)", "three (seen)", "four\nfive (seen)"]


@pytest.mark.django_db(transaction=True)
async def test_veto_ends_an_answer_after_what_was_shown(hooks: Hooks) -> None:
    hooks(site_hooks.Watch)
    gate = AnswerGate(Message())
    assert await gate.add("Fine.\n\nA se") == "Fine.\n\n"
    assert await gate.add("cret\n") == ""
    with pytest.raises(Veto) as caught:
        await gate.end()
    assert caught.value.code == exceptions.Withheld.code


async def test_nothing_passes_before_a_hook_has_judged_the_whole(hooks: Hooks) -> None:
    hooks(site_hooks.Mark, site_hooks.Judge, site_hooks.Mark)
    shown = await passed("One\n\n", "two\n")
    assert shown == ["", "", "[One (seen) (seen)\n\ntwo (seen)\n] (seen)"]
    assert site_hooks.asked == ["One (seen)\n\ntwo (seen)\n"]


async def test_judge_is_not_asked_about_nothing(hooks: Hooks) -> None:
    hooks(site_hooks.Judge)
    assert await passed(" ", "\n") == ["", "", " \n"]
    assert not site_hooks.asked


@pytest.mark.parametrize("kind", [site_hooks.Broken, site_hooks.Silent])
async def test_broken_hook_lets_no_answer_through(
    hooks: Hooks, kind: type[Hook], caplog: pytest.LogCaptureFixture
) -> None:
    hooks(kind)
    with (
        caplog.at_level(logging.ERROR, "polly_htmx"),
        pytest.raises(exceptions.HookFailed),
    ):
        await passed("a canary\n\n")
    assert "canary" not in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "text", "ending"),
    [
        (site_hooks.Shout, "One\n\ntwo", ("complete", "", "ONE\n\nTWO")),
        (site_hooks.Watch, "One\n\na secret", ("failed", "withheld", "One\n\n")),
        (site_hooks.Judge, "One\n\na secret", ("failed", "withheld", "")),
        (site_hooks.Broken, "One", ("failed", "hook-failed", "")),
    ],
)
def test_reply_ends_as_the_hooks_say(
    conversation: SmartConversation,
    who: Who,
    parrot: Parrot,
    hooks: Hooks,
    scripted: Callable[..., None],
    kind: type[Hook],
    text: str,
    ending: tuple[str, str, str],
) -> None:
    parrot.model = "SCRIPTED"
    parrot.save()
    scripted(text=text)
    conversation.refresh_from_db()
    reply = reply_of(take_turn(conversation, "Hi", who=who))
    hooks(kind)
    run_reply(reply)
    reply.refresh_from_db()
    assert (reply.status, reply.error, reply.content) == ending
    assert bool(reply.remark) == bool(reply.error)


# Blocks


@pytest.mark.parametrize(
    "block",
    [
        "# A heading\n\n",
        "one\ntwo\n \t\n",
        "- one\n- two\n\n",
        "```\na\n\nb\n```\n\n",
        "~~~ py\na\n\n```\n\nb\n~~~~\n\n",
        "1. ```sh\n   a\n\n   b\n   ```\n\n",
        "````\n```\n\n````\n\n",
        "```a`b` is code within a line\n\n",
    ],
)
def test_block_is_whole_at_its_blank_line(block: str) -> None:
    reader = BlockReader()
    early = [each for piece in block[:-1] for each in reader.add(piece)]
    assert not early
    assert reader.add("\n") == [block]
    assert reader.end() == []


def test_open_fence_reaches_to_the_end() -> None:
    reader = BlockReader()
    assert reader.add("``` py\na\n\nb\n\n``") == []
    assert reader.end() == ["``` py\na\n\nb\n\n``"]


@given(st.lists(st.text("a \n`~->.1\r\t", max_size=8), max_size=30))
def test_blocks_together_are_the_text(pieces: list[str]) -> None:
    reader = BlockReader()
    blocks = [block for piece in pieces for block in reader.add(piece)]
    blocks += reader.end()
    assert "".join(blocks) == "".join(pieces)
    whole = BlockReader()
    assert [*whole.add("".join(pieces)), *whole.end()] == blocks


def test_a_very_long_line_costs_no_more_than_its_length() -> None:
    reader = BlockReader()
    for _ in range(200_000):
        reader.add("- ")
    assert reader.end() == ["- " * 200_000]


def test_a_hook_that_says_nothing_changes_nothing() -> None:
    about: Any = {"conversation": None, "who": None}
    reply: Any = None
    hook = Hook()
    assert hook.message("Hi", **about) == "Hi"
    assert hook.block("Hi", reply=reply) == hook.answer("Hi", reply=reply) == "Hi"
