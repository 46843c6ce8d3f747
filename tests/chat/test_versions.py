"""Versions: which one is shown, and what becomes of a path when it is switched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polly_htmx.access import Who
from polly_htmx.chat import edit_message, regenerate, switch_version, take_turn
from polly_htmx.chat.conversations import look, newest_page, state_of
from polly_htmx.chat.events import PathChanged
from polly_htmx.exceptions import NotFound, ReplyRunning
from polly_htmx.models import Message, SmartConversation
from tests.chat.halves import reply_of

pytestmark = pytest.mark.django_db
Ended = Callable[..., Message]


def end(reply: Message, text: str) -> Message:
    Message.objects.filter(pk=reply.pk).update(status="complete", content=text)
    reply.refresh_from_db()
    return reply


def shown(conversation: SmartConversation) -> list[tuple[str, str]]:
    """Return what a page shows, each with its place among its versions."""
    conversation.refresh_from_db()
    return [
        (
            message.content,
            f"{message.versions.number}/{message.versions.count}"
            if message.versions
            else "",
        )
        for message in newest_page(conversation).messages
    ]


@pytest.fixture
def tree(conversation: SmartConversation, ended: Ended, who: Who) -> SmartConversation:
    """Return a talk with two first questions, and two answers to the second one."""
    first = ended("One", content="1")
    ended("Further", content="11")
    root = first.parent
    assert root is not None
    again = end(reply_of(edit_message(root, "Two", who=who)), "2a")
    end(regenerate(again, who=who), "2b")
    conversation.refresh_from_db()
    return conversation


def message(text: str) -> Message:
    return Message.objects.get(content=text)


def test_page_tells_which_of_how_many_it_shows(tree: SmartConversation) -> None:
    assert shown(tree) == [("Two", "2/2"), ("2b", "2/2")]


def test_neighbours_are_named_and_the_ends_have_none(tree: SmartConversation) -> None:
    two = newest_page(tree).messages[0].versions
    assert two is not None
    one = message("One").external_id
    assert (two.first, two.previous, two.next) == (one, one, None)


def test_switch_goes_on_to_the_newest_below(tree: SmartConversation, who: Who) -> None:
    leaf = switch_version(message("One"), who=who)
    assert leaf.content == "11"
    assert shown(tree) == [("One", "1/2"), ("1", ""), ("Further", ""), ("11", "")]
    switch_version(message("2a"), who=who)
    assert shown(tree) == [("Two", "2/2"), ("2a", "1/2")]


def test_switch_tells_all_pages_and_is_no_activity(
    tree: SmartConversation,
    who: Who,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(
        "polly_htmx.chat.layer.publish", lambda _chat, event: told.append(event)
    )
    before = tree.updated_at
    with django_capture_on_commit_callbacks(execute=True):
        switch_version(message("One"), who=who)
    tree.refresh_from_db()
    assert told == [PathChanged(state=state_of(tree))]
    assert tree.updated_at == before


def test_nothing_is_switched_while_a_reply_runs(
    tree: SmartConversation, who: Who
) -> None:
    take_turn(tree, "Wait", who=who)
    with pytest.raises(ReplyRunning):
        switch_version(message("One"), who=who)


def test_only_who_may_write_switches(
    tree: SmartConversation, other_user: User, django_user_model: Any
) -> None:
    with pytest.raises(NotFound):
        switch_version(message("One"), who=Who(user=other_user))
    staff = django_user_model.objects.create_superuser("boss")
    switch_version(message("One"), who=Who(user=staff))


def test_page_takes_one_query_for_all_versions(
    tree: SmartConversation, who: Who
) -> None:
    switch_version(message("One"), who=who)
    tree.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        newest_page(tree)
    assert len(queries) == 2


def test_page_that_shows_the_first_message_is_sent_any_path(
    tree: SmartConversation, who: Who
) -> None:
    page = newest_page(tree)
    assert page.start == 0
    before = state_of(tree)
    switch_version(message("One"), who=who)
    sight = look(tree, before, page.start)
    assert not sight.is_elsewhere
    assert [each.content for each in sight.missed or []] == [
        "One",
        "1",
        "Further",
        "11",
    ]


@pytest.mark.parametrize(("known", "is_elsewhere"), [("11", True), ("Two", False)])
def test_page_loads_afresh_where_the_path_left_what_it_shows(
    tree: SmartConversation, known: str, is_elsewhere: bool
) -> None:
    sight = look(tree, "0-0", message(known).sequence)
    assert sight.is_elsewhere is is_elsewhere
