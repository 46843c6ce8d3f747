"""Who is behind an open socket now, whatever keeps the site's sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils.functional import SimpleLazyObject

from polly_htmx.access import Who, who_now

pytestmark = pytest.mark.django_db

KEPT_BY_THE_SITE = ["db", "cache", "cached_db", "file"]
KEPT_BY_THE_BROWSER = "signed_cookies"

SignIn = Callable[[str], tuple[Client, dict[str, Any]]]


@pytest.fixture
def sign_in(
    settings: LazySettings, user: User, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SignIn]:
    """Return a function that signs in, and opens a socket, where sessions are kept so."""

    def signed_in(engine: str) -> tuple[Client, dict[str, Any]]:
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
        settings.SESSION_FILE_PATH = str(tmp_path_factory.mktemp("sessions"))
        client = Client()
        client.force_login(user)
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        store = import_module(settings.SESSION_ENGINE).SessionStore
        # As Channels does: read when first asked for, and kept as it was then.
        session = SimpleLazyObject(lambda: store(session_key=key))
        return client, {"user": user, "session": session}

    cache.clear()
    yield signed_in
    cache.clear()


def sign_out(client: Client, user: User) -> None:
    """Leave by the site's own button, in another tab."""
    answer = client.post("/accounts/logout/")
    assert answer.status_code in {200, 302}


def change_password(client: Client, user: User) -> None:
    """Set another password elsewhere."""
    user = User.objects.get(pk=user.pk)
    user.set_password("other")
    user.save()


def deactivate(client: Client, user: User) -> None:
    """Close the account."""
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(client: Client, user: User) -> None:
    """Delete the account."""
    User.objects.filter(pk=user.pk).delete()


OF_THE_ACCOUNT = [change_password, deactivate, delete]


@pytest.mark.parametrize("end", [sign_out, *OF_THE_ACCOUNT])
@pytest.mark.parametrize("engine", KEPT_BY_THE_SITE)
def test_end_of_a_session_that_the_site_keeps_counts_at_once(
    sign_in: SignIn, user: User, engine: str, end: Callable[[Client, User], None]
) -> None:
    client, scope = sign_in(engine)
    assert who_now(scope) == Who(user=user)
    end(client, user)
    assert not who_now(scope)


@pytest.mark.parametrize("end", OF_THE_ACCOUNT)
def test_end_of_an_account_counts_where_the_browser_keeps_the_session(
    sign_in: SignIn, user: User, end: Callable[[Client, User], None]
) -> None:
    client, scope = sign_in(KEPT_BY_THE_BROWSER)
    assert who_now(scope) == Who(user=user)
    end(client, user)
    assert not who_now(scope)


def test_cookie_that_is_the_session_is_believed_by_sockets_as_by_pages(
    sign_in: SignIn, user: User, settings: LazySettings
) -> None:
    # Django says so of its signed cookies: an old one works until its time is over.
    client, scope = sign_in(KEPT_BY_THE_BROWSER)
    name = settings.SESSION_COOKIE_NAME
    copied = client.cookies[name].value
    sign_out(client, user)
    assert client.get("/polly/").status_code == 302
    thief = Client()
    thief.cookies[name] = copied
    assert thief.get("/polly/").status_code == 200
    assert who_now(scope) == Who(user=user)
