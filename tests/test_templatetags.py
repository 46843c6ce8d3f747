"""The template tags in a host's page."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from polly_htmx.models import Message, Parrot, SmartConversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(rf: RequestFactory) -> Any:
    def make(user: Any, path: str = "/help/") -> HttpRequest:
        request = rf.get(path)
        request.user, request.session = user, SessionStore()
        return request

    return make


def render(request: HttpRequest | None, tags: str, **context: Any) -> str:
    template = Template("{% load polly %}" + tags)
    return template.render(Context({"request": request, **context}))


def test_assets_come_once_a_page(request_of: Any, user: User) -> None:
    page = render(request_of(user), "{% polly_assets %}{% polly_assets %}")
    assert page.count("polly_htmx/js/chat.js") == 1
    assert page.count("htmx-2.min.js") == 1
    assert page.count("hx-ws-2.min.js") == 1


def test_assets_leave_htmx_to_the_host(request_of: Any, user: User) -> None:
    page = render(request_of(user), "{% polly_assets htmx=False %}")
    assert "htmx-" not in page
    assert "polly_htmx/js/chat.js" in page


def test_assets_follow_the_setting_and_the_nonce(
    request_of: Any, user: User, settings: Any
) -> None:
    settings.POLLY = {"HTMX_VERSION": 4}
    page = render(request_of(user), "{% polly_assets %}", csp_nonce="abc123")
    assert "htmx-4.min.js" in page
    assert 'nonce="abc123"' in page


def test_chat_renders_without_a_row(
    request_of: Any, user: User, parrot: Parrot
) -> None:
    page = render(request_of(user), "{% polly_chat %}{% polly_chat %}")
    assert page.count('role="log"') == 2
    assert page.count('name="token"') == 2
    assert "ws-connect" not in page
    assert not SmartConversation.objects.exists()


def test_chat_takes_a_parrot_by_name_or_object(
    request_of: Any, user: User, parrot: Parrot
) -> None:
    bird = Parrot.objects.create(name="Kea")
    for page in (
        render(request_of(user), '{% polly_chat parrot="Kea" %}'),
        render(request_of(user), "{% polly_chat parrot=bird %}", bird=bird),
    ):
        assert "Chat with Kea" in page


def test_chat_shows_title_and_placeholder_escaped(
    request_of: Any, user: User, parrot: Parrot
) -> None:
    tag = "{% polly_chat title=title placeholder=title %}"
    page = render(request_of(user), tag, title='"><script>')
    assert "<script>" not in page
    assert page.count("&quot;&gt;&lt;script&gt;") >= 2


def test_chat_is_found_again_in_its_slot(
    request_of: Any, user: User, parrot: Parrot, other_user: User
) -> None:
    name = f"/help/#{parrot.external_id}"
    own = SmartConversation.objects.create(parrot=parrot, user=user, slot=name)
    assert str(own.external_id) in render(request_of(user), "{% polly_chat %}")
    elsewhere = render(request_of(user, "/other/"), "{% polly_chat %}")
    assert str(own.external_id) not in elsewhere
    theirs = render(request_of(other_user), "{% polly_chat %}")
    assert str(own.external_id) not in theirs


def test_chat_of_a_given_conversation_is_its_owners_only(
    request_of: Any, user: User, other_user: User, conversation: SmartConversation
) -> None:
    tag = "{% polly_chat conversation=conversation %}"
    own = render(request_of(user), tag, conversation=conversation)
    theirs = render(request_of(other_user), tag, conversation=conversation)
    assert "ws-connect" in own
    assert "was not found" in theirs
    assert str(conversation.external_id) not in theirs


def test_chat_asks_nobody_to_sign_in(request_of: Any, parrot: Parrot) -> None:
    page = render(request_of(AnonymousUser()), "{% polly_chat %}")
    assert "/accounts/login/?next=%2Fhelp%2F" in page
    assert "<textarea" not in page


def test_chat_with_an_unknown_parrot_says_so(
    request_of: Any, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    page = render(request_of(user), '{% polly_chat parrot="Nobody" %}')
    assert "not available" in page
    assert "no-parrot" in caplog.text


def test_chat_refuses_options_it_does_not_know(
    request_of: Any, user: User, parrot: Parrot
) -> None:
    with pytest.raises(TemplateSyntaxError):
        render(request_of(user), '{% polly_chat model="gpt" %}')


def test_chat_needs_the_request() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"context_processors\.request"):
        render(None, "{% polly_chat %}")


def test_chat_keeps_context_out_of_sight(
    request_of: Any, user: User, parrot: Parrot
) -> None:
    page = render(request_of(user), '{% polly_chat context="Told to the Parrot." %}')
    assert "Told to the Parrot." not in page


def test_transcript_is_for_the_owner_and_for_staff_who_may_read(
    request_of: Any, user: User, other_user: User, conversation: SmartConversation
) -> None:
    Message.objects.create(conversation=conversation, party="USER", content="**Words**")
    tag = "{% polly_transcript conversation %}"
    own = render(request_of(user), tag, conversation=conversation)
    assert "<strong>Words</strong>" in own
    assert "<textarea" not in own
    theirs = render(request_of(other_user), tag, conversation=conversation)
    assert "Words" not in theirs
    other_user.is_staff = True
    other_user.save()
    read = ["view_smartconversation", "view_message"]
    other_user.user_permissions.set(Permission.objects.filter(codename__in=read))
    staff = User.objects.get(pk=other_user.pk)
    assert "Words" in render(request_of(staff), tag, conversation=conversation)


def test_markdown_filter_is_safe() -> None:
    page = render(None, "{{ text|polly_markdown }}", text="*a* <img src=x onerror=b>")
    assert "<em>a</em>" in page
    assert "<img" not in page


def test_two_chats_of_a_page_have_ids_of_their_own(
    request_of: Any, user: User, parrot: Parrot
) -> None:
    page = render(request_of(user), '{% polly_chat %}{% polly_chat slot="two" %}')
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    assert uuid.UUID(ids[0].removeprefix("polly-chat-")).version == 4
