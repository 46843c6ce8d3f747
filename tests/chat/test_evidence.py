"""Evidence: it changes whenever who is behind a session does, or it is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User, UserManager
from django.contrib.sessions.models import Session
from django.test import Client

from polly_htmx.access import who_now
from polly_htmx.chat.evidence import evidence_of
from tests.test_access import (
    KEPT_BY_THE_BROWSER,
    KEPT_BY_THE_SITE,
    OF_THE_ACCOUNT,
    SignIn,
    sign_in,
    sign_out,
)

__all__ = ["sign_in"]
pytestmark = pytest.mark.django_db

OTHERS = [*KEPT_BY_THE_SITE[1:], KEPT_BY_THE_BROWSER]


def evidence(scope: dict[str, Any]) -> int | None:
    """Return the evidence for one socket."""
    return evidence_of([scope])[0]


def expire(client: Client, user: User) -> None:
    """Let the session's time be over."""
    Session.objects.update(expire_date="2026-01-01T00:00Z")


def put_something_in(client: Client, user: User) -> None:
    """Change the session in another tab."""
    session = client.session
    session["something"] = 1
    session.save()


def rename(client: Client, user: User) -> None:
    """Change anything about the account."""
    User.objects.filter(pk=user.pk).update(first_name="Polly")


CHANGES = [sign_out, expire, put_something_in, rename, *OF_THE_ACCOUNT]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_session_or_the_account_changes_it(
    sign_in: SignIn,
    user: User,
    other_user: User,
    change: Callable[[Client, User], None],
) -> None:
    client, scope = sign_in("db")
    before = evidence(scope)
    assert before is not None
    User.objects.filter(pk=other_user.pk).update(first_name="Molly")
    assert evidence(scope) == before
    change(client, user)
    after = evidence(scope)
    assert after != before
    # Where nobody is left there is none, so that Django is asked.
    assert who_now(scope) or after is None or change in OF_THE_ACCOUNT


@pytest.mark.parametrize("engine", OTHERS)
def test_there_is_none_where_the_sessions_lie_elsewhere(
    sign_in: SignIn, engine: str
) -> None:
    _client, scope = sign_in(engine)
    assert evidence(scope) is None


def test_each_socket_has_its_own(sign_in: SignIn, user: User, other_user: User) -> None:
    _client, scope = sign_in("db")
    anonymous = {"user": None, "session": scope["session"]}
    bare = {"user": user, "session": {}}
    first, second, third, again = evidence_of([scope, anonymous, bare, scope])
    assert first == again == evidence(scope)
    assert first is not None
    assert (second, third) == (None, None)
    assert evidence_of([]) == []


def test_one_alone_has_the_same_as_among_others(sign_in: SignIn) -> None:
    _client, scope = sign_in("db")
    assert evidence_of([scope, scope]) == [evidence(scope)] * 2


class Hidden(UserManager[User]):
    """A manager under which accounts may be there and not be found."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(groups__name="seen")


def test_manager_with_conditions_of_its_own_is_asked(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _client, scope = sign_in("db")
    manager = Hidden()
    manager.model = User
    monkeypatch.setattr(User._meta, "default_manager", manager)
    assert evidence(scope) is None
    scope["user"].groups.add(Group.objects.create(name="seen"))
    assert evidence(scope) is not None


@pytest.mark.parametrize(
    "backends",
    [
        ["django.contrib.auth.backends.AllowAllUsersModelBackend"],
        [
            "django.contrib.auth.backends.ModelBackend",
            "django.contrib.auth.backends.RemoteUserBackend",
        ],
    ],
)
def test_there_is_none_where_others_have_a_say_in_who_it_is(
    sign_in: SignIn, settings: LazySettings, backends: list[str]
) -> None:
    _client, scope = sign_in("db")
    settings.AUTHENTICATION_BACKENDS = backends
    assert evidence(scope) is None


@pytest.mark.parametrize("name", ["is_authenticated", "get_session_auth_hash"])
def test_there_is_none_where_the_sites_user_has_rules_of_its_own(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _client, scope = sign_in("db")
    monkeypatch.setattr(User, name, property(lambda _user: True), raising=False)
    assert evidence(scope) is None
