from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from polly_htmx.models import Feedback, Message, SmartConversation
from tests.admin.conftest import Staff, say

LIST = "/admin/polly_htmx/message/"


def page_of(message: Message, page: str = "change") -> str:
    return reverse(f"admin:polly_htmx_message_{page}", args=[message.pk])


def test_reader_sees_list_record_and_history(
    viewer: Client, conversation: SmartConversation
) -> None:
    [message] = say(conversation, "What was said " * 100)
    listed = viewer.get(LIST).content.decode()
    assert "What was said" in listed
    assert message.content not in listed
    assert "What was said" in viewer.get(page_of(message)).content.decode()
    assert viewer.get(page_of(message, "history")).status_code == 200


def test_list_leaves_long_texts_in_the_database(
    viewer: Client, conversation: SmartConversation
) -> None:
    say(conversation, "word " * 100)
    [row] = viewer.get(LIST).context["cl"].result_list
    assert {"content", "instructions", "context"} <= row.get_deferred_fields()


@pytest.mark.parametrize(
    "permissions",
    [
        (),
        ("view_smartconversation",),
        ("view_message",),
        ("view_smartconversation", "change_message", "delete_message", "add_message"),
    ],
)
def test_without_both_permissions_nothing_is_shown(
    staff: Staff, conversation: SmartConversation, permissions: tuple[str, ...]
) -> None:
    [message] = say(conversation, "What was said")
    somebody = staff(*permissions)
    for address in (LIST, page_of(message), page_of(message, "history")):
        answer = somebody.get(address)
        assert answer.status_code == 403
        assert "What was said" not in answer.content.decode()


def test_nobody_adds_changes_or_deletes_a_single_message(
    admin_client: Client, conversation: SmartConversation
) -> None:
    [message] = say(conversation, "What was said")
    assert admin_client.get(f"{LIST}add/").status_code == 403
    answer = admin_client.post(page_of(message), {"content": "Something else"})
    assert answer.status_code == 403
    answer = admin_client.post(page_of(message, "delete"), {"post": "yes"})
    assert answer.status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [message.pk]}
    admin_client.post(LIST, {**chosen, "post": "yes"})
    message.refresh_from_db()
    assert message.content == "What was said"


def test_user_who_has_chatted_can_be_deleted(
    admin_client: Client, conversation: SmartConversation, user: User
) -> None:
    say(conversation, "What was said")
    address = reverse("admin:auth_user_delete", args=[user.pk])
    assert "What was said" not in admin_client.get(address).content.decode()
    assert admin_client.post(address, {"post": "yes"}).status_code == 302
    assert not Message.objects.exists()


def test_filters_and_search_find_messages(
    viewer: Client, conversation: SmartConversation
) -> None:
    say(conversation, "A question", "An answer")
    for query, count in (
        ("", 2),
        ("?party__exact=USER", 1),
        ("?status__exact=failed", 0),
        ("?q=question", 1),
    ):
        assert viewer.get(LIST + query).context["cl"].result_count == count


def test_list_costs_the_same_for_many_rows(
    admin_client: Client,
    conversation: SmartConversation,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    say(conversation, "One")
    with django_assert_max_num_queries(10) as few:
        admin_client.get(LIST)
    say(conversation, *["Another"] * 30)
    with django_assert_max_num_queries(10) as many:
        admin_client.get(LIST)
    assert len(few) == len(many)


STOP = {"action": "stop_replies"}
RIGHTS = ("view_smartconversation", "view_message", "add_message")


def running(conversation: SmartConversation) -> Message:
    return Message.objects.create(
        conversation=conversation, party="ASSISTANT", status="pending", content="Some"
    )


def test_selected_replies_are_stopped_and_their_text_stays(
    staff: Staff, conversation: SmartConversation
) -> None:
    [message] = say(conversation, "Hello")
    reply = running(conversation)
    chosen = {**STOP, "_selected_action": [message.pk, reply.pk]}
    page = staff(*RIGHTS).post(LIST, chosen, follow=True).content.decode()
    assert "1 reply was told to stop." in page
    reply.refresh_from_db()
    assert (reply.status, reply.content) == ("stopped", "Some")
    message.refresh_from_db()
    assert message.status == "complete"


def test_who_may_only_read_can_stop_nothing(
    viewer: Client, conversation: SmartConversation
) -> None:
    reply = running(conversation)
    assert "stop_replies" not in viewer.get(LIST).content.decode()
    viewer.post(LIST, {**STOP, "_selected_action": [reply.pk]})
    reply.refresh_from_db()
    assert reply.status == "pending"


def test_messages_can_still_not_be_deleted_from_the_list(
    staff: Staff, conversation: SmartConversation
) -> None:
    running(conversation)
    page = staff(*RIGHTS, "delete_message").get(LIST).content.decode()
    assert "stop_replies" in page
    assert "delete_selected" not in page


def test_feedback_is_a_column_and_a_filter(
    viewer: Client,
    conversation: SmartConversation,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    plain, good, bad = say(conversation, "Plain words", "Fine words", "Ill words")
    Feedback.objects.create(message=good, good=True)
    Feedback.objects.create(message=bad, good=False, comment="Not <b>so</b>")
    listed = viewer.get(LIST, {"feedback__good__exact": "0"}).content.decode()
    assert "Ill words" in listed
    assert "Fine words" not in listed
    shown = viewer.get(page_of(bad)).content.decode()
    assert "Not &lt;b&gt;so&lt;/b&gt;" in shown
    assert viewer.get(page_of(plain)).status_code == 200
    with CaptureQueriesContext(connection) as few:
        viewer.get(LIST)
    Feedback.objects.create(message=plain, good=True)
    with django_assert_num_queries(len(few)):
        viewer.get(LIST)
