from __future__ import annotations

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from polly_htmx import fragments
from polly_htmx.chat.conversations import PAGE_SIZE, newest_page
from polly_htmx.models import SmartConversation
from tests.admin.conftest import Staff, say
from tests.oracle import parsed


def page_of(conversation: SmartConversation) -> str:
    name = "admin:polly_htmx_smartconversation_transcript"
    return reverse(name, args=[conversation.pk])


def texts(client: Client, address: str) -> list[str]:
    page = parsed(client.get(address).content.decode())
    return [
        "".join(each.itertext()).strip()
        for each in page.iter("div")
        if each.get("class") == "polly-message__content"
    ]


def test_transcript_is_the_fragment_that_staff_read(
    viewer: Client, conversation: SmartConversation
) -> None:
    say(conversation, "**Hello**", "Hi!")
    page = viewer.get(page_of(conversation))
    assert page.status_code == 200
    conversation.refresh_from_db()
    wanted = fragments.transcript(
        conversation, newest_page(conversation), reader="staff"
    )
    assert str(wanted) in page.content.decode()
    assert "<strong>Hello</strong>" in wanted
    assert "You" not in texts(viewer, page_of(conversation))
    assert "no-store" in page["Cache-Control"]


def test_transcript_loads_our_styles_and_none_of_our_scripts(
    viewer: Client, conversation: SmartConversation
) -> None:
    page = parsed(viewer.get(page_of(conversation)).content.decode())
    styles = [each.get("href") or "" for each in page.iter("link")]
    ours = [f"/static/{name}" for name in fragments.STYLES]
    assert [each for each in styles if "polly_htmx" in each] == ours
    scripts = [each.get("src") or "" for each in page.iter("script")]
    assert not [each for each in scripts if "polly" in each or "django_htmx" in each]
    [content] = [each for each in page.iter() if each.get("id") == "content-main"]
    assert not [each for each in content.iter() if each.get("hx-get")]


def test_styles_exist() -> None:
    assert all(finders.find(name) for name in fragments.STYLES)


def test_earlier_messages_come_in_pages(
    viewer: Client, conversation: SmartConversation
) -> None:
    said = [f"message {number}" for number in range(PAGE_SIZE * 2 + 5)]
    say(conversation, *said)
    address = page_of(conversation)
    seen: list[str] = []
    for _page in range(3):
        seen = [*texts(viewer, address), *seen]
        page = viewer.get(address)
        earlier = page.context["earlier"]
        assert bool(earlier) == (f'href="?before={earlier}"' in page.content.decode())
        address = f"{page_of(conversation)}?before={earlier}"
    assert earlier is None
    assert seen == said


@pytest.mark.parametrize("before", ["", "x", "-1", "²", "9" * 30, "1.0", " 1"])
def test_page_that_cannot_be_is_not_found(
    viewer: Client, conversation: SmartConversation, before: str
) -> None:
    answer = viewer.get(page_of(conversation), {"before": before})
    assert answer.status_code == 404


def test_number_of_no_message_gives_an_empty_page(
    viewer: Client, conversation: SmartConversation
) -> None:
    say(conversation, "One")
    assert texts(viewer, page_of(conversation) + "?before=77") == []


@pytest.mark.parametrize("key", ["0", "nonsense", "999999999999999999999999"])
def test_unknown_conversation_is_not_found(viewer: Client, key: str) -> None:
    address = f"/admin/polly_htmx/smartconversation/{key}/transcript/"
    assert viewer.get(address).status_code == 404


@pytest.mark.parametrize(
    "permissions",
    [
        (),
        ("view_message",),
        ("view_smartconversation",),
        ("change_smartconversation", "change_message", "delete_message"),
    ],
)
def test_staff_without_both_permissions_is_refused(
    staff: Staff, conversation: SmartConversation, permissions: tuple[str, ...]
) -> None:
    say(conversation, "What was said")
    answer = staff(*permissions).get(page_of(conversation))
    assert answer.status_code == 403
    assert "What was said" not in answer.content.decode()


def test_owner_and_strangers_are_sent_to_the_admins_sign_in(
    signed_in: Client, client: Client, conversation: SmartConversation
) -> None:
    for somebody in (signed_in, client):
        answer = somebody.get(page_of(conversation))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_transcript_costs_the_same_for_many_messages(
    viewer: Client,
    conversation: SmartConversation,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    say(conversation, "One", "Two")
    with django_assert_max_num_queries(14) as few:
        viewer.get(page_of(conversation))
    say(conversation, *["Another"] * 100)
    with django_assert_max_num_queries(14) as many:
        viewer.get(page_of(conversation))
    assert len(few) == len(many)
