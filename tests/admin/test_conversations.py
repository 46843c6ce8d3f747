from __future__ import annotations

import uuid

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from polly_htmx.models import Message, Parrot, SmartConversation
from tests.admin.conftest import Staff, say

LIST = "/admin/polly_htmx/smartconversation/"


def page_of(conversation: SmartConversation, page: str = "change") -> str:
    name = f"admin:polly_htmx_smartconversation_{page}"
    return reverse(name, args=[conversation.pk])


def test_list_shows_titles_and_leads_to_transcripts(
    viewer: Client, conversation: SmartConversation, parrot: Parrot
) -> None:
    say(conversation, "How are you?", "Fine.")
    visited = SmartConversation.objects.create(parrot=parrot, visitor=uuid.uuid4())
    page = viewer.get(LIST).content.decode()
    assert "How are you?" in page
    assert "Visitor" in page
    for each in (conversation, visited):
        assert page_of(each, "transcript") in page


def test_filters_and_search_find_conversations(
    viewer: Client, conversation: SmartConversation, parrot: Parrot
) -> None:
    conversation.title = "Greetings"
    conversation.save()
    SmartConversation.objects.create(parrot=parrot, visitor=uuid.uuid4())
    for query, count in (
        ("", 2),
        ("?person=user", 1),
        ("?person=visitor", 1),
        (f"?parrot={parrot.external_id}", 2),
        (f"?parrot={uuid.uuid4()}", 2),
        ("?parrot=nonsense", 2),
        ("?q=someone", 1),
        ("?q=greet", 1),
        ("?answered_by__exact=STAFF", 0),
    ):
        found = viewer.get(LIST + query).context["cl"].result_count
        assert found == count, query


def test_nobody_adds_or_changes_a_conversation(
    admin_client: Client, conversation: SmartConversation
) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    page = admin_client.get(page_of(conversation))
    assert not page.context["has_change_permission"]
    assert page_of(conversation, "transcript") in page.content.decode()
    answer = admin_client.post(page_of(conversation), {"title": "Mine"})
    assert answer.status_code == 403


def test_deleting_names_no_message_but_takes_them_along(
    admin_client: Client, conversation: SmartConversation
) -> None:
    say(conversation, *["Secret"] * 40)
    address = page_of(conversation, "delete")
    page = admin_client.get(address)
    assert page.context["perms_lacking"] == set()
    assert len(page.content) < 100_000
    assert "Secret" not in page.content.decode()
    assert admin_client.post(address, {"post": "yes"}).status_code == 302
    assert not SmartConversation.objects.exists()
    assert not Message.objects.exists()
    assert LogEntry.objects.get().object_repr == str(conversation.external_id)


def test_deleting_needs_the_permission(
    viewer: Client, staff: Staff, conversation: SmartConversation
) -> None:
    address = page_of(conversation, "delete")
    assert viewer.post(address, {"post": "yes"}).status_code == 403
    deleter = staff("view_smartconversation", "delete_smartconversation")
    assert deleter.post(address, {"post": "yes"}).status_code == 302
    assert not SmartConversation.objects.exists()


def test_several_are_deleted_from_the_list(
    admin_client: Client, conversation: SmartConversation
) -> None:
    say(conversation, "One", "Two")
    chosen = {"action": "delete_selected", "_selected_action": [conversation.pk]}
    assert "One" not in admin_client.post(LIST, chosen).content.decode()
    admin_client.post(LIST, {**chosen, "post": "yes"})
    assert not SmartConversation.objects.exists()


def test_list_costs_the_same_for_many_rows(
    admin_client: Client,
    parrot: Parrot,
    django_user_model: type[User],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def start(number: int) -> None:
        user = django_user_model.objects.create_user(f"person{number}")
        other = Parrot.objects.create(name=f"Parrot {number}")
        say(SmartConversation.objects.create(parrot=other, user=user), "Hi", "Hello")

    start(0)
    with django_assert_max_num_queries(10) as few:
        admin_client.get(LIST)
    for number in range(1, 15):
        start(number)
    with django_assert_max_num_queries(10) as many:
        admin_client.get(LIST)
    assert len(few) == len(many)
