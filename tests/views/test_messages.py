"""One message over HTTP: its source, what there is to know of it, editing, feedback."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from polly_htmx.models import Feedback, Message, ModelCall, Parrot, SmartConversation

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def question(conversation: SmartConversation, user: User) -> Message:
    return Message.objects.create(
        conversation=conversation, party="USER", author=user, content="What *now*?"
    )


@pytest.fixture
def answer(conversation: SmartConversation, question: Message) -> Message:
    return Message.objects.create(
        conversation=conversation,
        party="ASSISTANT",
        content="# <b>Well</b>\n",
        version=conversation.parrot.current_version(),
    )


def address(name: str, message: Message, *more: str) -> str:
    key = message.conversation.external_id
    return reverse(f"polly:{name}", args=[key, message.external_id, *more])


def page(client: Client, url: str) -> str:
    response = client.get(url, headers=HTMX)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def test_source_is_the_text_as_it_was_written(
    signed_in: Client, answer: Message
) -> None:
    for response in (
        signed_in.get(address("source", answer)),
        signed_in.post(address("source", answer)),
    ):
        assert response.content.decode() == answer.content
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in response.headers["Cache-Control"]


def test_edit_gives_a_form_and_takes_a_turn(
    signed_in: Client, question: Message, answer: Message
) -> None:
    url = address("edit", question)
    form = page(signed_in, url)
    assert "What *now*?</textarea>" in form
    assert "csrfmiddlewaretoken" in form
    assert "<html" in signed_in.get(url).content.decode()
    data = {"message": "And *then*?", "nonce": "n1"}
    response = signed_in.post(url, data, headers=HTMX)
    assert response.status_code == HTTPStatus.NO_CONTENT
    assert signed_in.post(url, data).status_code == HTTPStatus.FOUND
    edited = Message.objects.get(nonce="n1")
    assert (edited.parent_id, edited.content) == (None, "And *then*?")


def test_edit_that_is_refused_keeps_the_text(
    signed_in: Client, question: Message, settings: Any
) -> None:
    settings.POLLY = {**settings.POLLY, "MAX_MESSAGE_CHARS": 5}
    url = address("edit", question)
    response = signed_in.post(url, {"message": "Too long"}, headers=HTMX)
    assert response.headers["HX-Reswap"] == "none"
    assert b"at most 5" in response.content
    shown = signed_in.post(url, {"message": "Too long"}).content.decode()
    assert "Too long</textarea>" in shown
    assert "at most 5" in shown


def test_only_ones_own_words_are_edited(signed_in: Client, answer: Message) -> None:
    response = signed_in.get(address("edit", answer))
    assert response.status_code == HTTPStatus.FORBIDDEN


def test_feedback_is_given_changed_and_taken_back(
    signed_in: Client, answer: Message
) -> None:
    def judge(verdict: str) -> str:
        url = address("feedback", answer, verdict)
        return signed_in.post(url, headers=HTMX).content.decode()

    assert judge("good").count('aria-pressed="true"') == 1
    assert Feedback.objects.get().good
    url = address("comment", answer)
    assert "csrfmiddlewaretoken" in page(signed_in, url)
    shown = signed_in.post(url, {"comment": " Nice "}, headers=HTMX).content.decode()
    assert "Edit comment" in shown
    judge("bad")
    given = Feedback.objects.get()
    assert (given.good, given.comment) == (False, "Nice")
    assert 'aria-pressed="true"' not in judge("none")
    assert not Feedback.objects.exists()
    assert signed_in.get(url).status_code == HTTPStatus.NOT_FOUND
    bad = signed_in.post(address("feedback", answer, "splendid"))
    assert bad.status_code == HTTPStatus.NOT_FOUND


def test_too_long_a_comment_is_refused(signed_in: Client, answer: Message) -> None:
    signed_in.post(address("feedback", answer, "good"))
    url = address("comment", answer)
    response = signed_in.post(url, {"comment": "x" * 2001}, headers=HTMX)
    assert b"at most 2000" in response.content
    assert Feedback.objects.get().comment == ""


@pytest.mark.parametrize("fields", [{"party": "USER"}, {"status": "streaming"}])
def test_only_answers_that_have_ended_are_judged(
    signed_in: Client, answer: Message, fields: dict[str, str]
) -> None:
    Message.objects.filter(pk=answer.pk).update(**fields)
    response = signed_in.post(address("feedback", answer, "good"))
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert not Feedback.objects.exists()


def test_staff_judge_nothing_for_others(answer: Message, admin_client: Client) -> None:
    response = admin_client.post(address("feedback", answer, "good"))
    assert response.status_code == HTTPStatus.NOT_FOUND


def call(answer: Message, **fields: Any) -> ModelCall:
    values = {"exactness": "exact", "input_tokens": 1200, "output_tokens": 34}
    return ModelCall.objects.create(
        purpose="reply", reply=answer, model="DUMMY", **{**values, **fields}
    )


@pytest.mark.parametrize("shows", [False, True])
def test_about_tells_who_answered_and_what_it_took(
    signed_in: Client, answer: Message, settings: Any, shows: bool
) -> None:
    settings.POLLY = {**settings.POLLY, "SHOW_USAGE": shows}
    call(answer, first_token=0.31, seconds=1.5, cost="0.000125")
    call(answer, seconds=1.0, exactness="estimated")
    shown = page(signed_in, address("message", answer))
    assert "Polly" in shown
    assert "0.3 s" in shown
    assert "2.5 s" in shown
    assert ("2,400 read, 68 written" in shown) is shows
    assert ("estimated" in shown) is shows
    assert ("0.000125 US dollars" in shown) is shows
    assert "<html" in signed_in.get(address("message", answer)).content.decode()


def test_about_tells_little_where_little_is_known(
    signed_in: Client, answer: Message, settings: Any
) -> None:
    settings.POLLY = {**settings.POLLY, "SHOW_USAGE": True}
    call(answer, input_tokens=None, output_tokens=None, exactness="unknown")
    shown = page(signed_in, address("message", answer))
    for word in ("Tokens", "Cost", "Written in", "First words"):
        assert word not in shown


def test_other_parrots_are_offered_at_the_end_of_the_path_only(
    signed_in: Client, answer: Message
) -> None:
    ara = Parrot.objects.create(name="Ara")
    Parrot.objects.create(name="Flint", retired_at=answer.created_at)
    url = address("message", answer)
    shown = page(signed_in, url)
    assert str(ara.external_id) in shown
    assert shown.count('name="parrot"') == 1
    asked = signed_in.post(
        address("regenerate", answer), {"parrot": str(ara.external_id)}, headers=HTMX
    )
    assert asked.status_code == HTTPStatus.NO_CONTENT
    again = Message.objects.get(parent=answer.parent, status="pending")
    assert again.version is not None
    assert again.version.parrot == ara
    assert 'name="parrot"' not in page(signed_in, url)


@pytest.mark.parametrize("slot", ["", "help"])
def test_parrots_that_are_not_offered_are_not_asked(
    signed_in: Client, answer: Message, slot: str
) -> None:
    ara = Parrot.objects.create(
        name="Ara", retired_at=None if slot else answer.created_at
    )
    SmartConversation.objects.update(slot=slot)
    assert 'name="parrot"' not in page(signed_in, address("message", answer))
    for key in (str(ara.external_id), "nonsense"):
        response = signed_in.post(address("regenerate", answer), {"parrot": key})
        assert response.status_code == HTTPStatus.NOT_FOUND
    assert Message.objects.count() == 2
