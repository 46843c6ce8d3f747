"""What all tests share: order, a guard on the network, and the browser."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, settings as hypothesis_settings

from polly_htmx.chat import dispatch
from polly_htmx.llm import breaker
from polly_htmx.models import Parrot, SmartConversation

# How long one example takes says something of the machine, and nothing of the code.
hypothesis_settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("patient")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def uses_database(item: pytest.Item) -> bool:
    """Return whether a test may ask the database: pytest-django forbids it others."""
    fixtures = {"db", "transactional_db"} & {*getattr(item, "fixturenames", ())}
    return item.get_closest_marker("django_db") is not None or bool(fixtures)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """
    Move the browser tests to the end, and skip the long ones unless asked for.

    Playwright's sync API keeps an event loop running in the main thread from its
    first use on, and then no test of our own coroutines could start one. On
    PostgreSQL tests that use no database are left out: they would show nothing new.
    """
    if os.environ.get("POLLY_TEST_DATABASE") == "postgres":
        without = [item for item in items if not uses_database(item)]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if uses_database(item)]
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if os.environ.get("POLLY_LONG") == "1":
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="long: set POLLY_LONG=1"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let browser tests use the ORM beside Playwright's loop, and no others."""
    if item.get_closest_marker("browser"):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def is_local(address: Any) -> bool:
    """Return whether a socket address stays on this machine."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Fail any test whose process would connect to another machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: Any) -> None:
        assert is_local(address), f"A test tried to connect to {address!r}."
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        assert is_local(address), f"A test tried to connect to {address!r}."
        return connect_ex(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    socket.socket.connect_ex = guarded_ex  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """
    Leave the database of a throw-away PostgreSQL cluster to the cluster's end.

    Threads of the pool may still hold a connection then, and PostgreSQL drops no
    database that somebody is connected to.
    """
    if os.environ.get("POLLY_TEST_DATABASE") == "postgres":
        return True
    return bool(request.config.getvalue("reuse_db"))


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """Use the given or installed Chromium; without one, Playwright's own."""
    args = [*browser_type_launch_args.get("args", [])]
    if os.geteuid() == 0:
        args.append("--no-sandbox")
    found = os.environ.get("POLLY_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUM_NAMES)), None
    )
    executable = {"executable_path": found} if found else {}
    return {**browser_type_launch_args, "args": args, **executable}


@pytest.fixture
def parrot(db: None) -> Parrot:
    """Return a Parrot that answers from the model of the test's POLLY setting."""
    return Parrot.objects.create(name="Polly", system_prompt="You are a parrot.")


@pytest.fixture
def user(django_user_model: type[User]) -> User:
    """Return somebody with an account."""
    return django_user_model.objects.create_user("someone", password="pw")


@pytest.fixture(autouse=True)
def language() -> None:
    """Begin in the site's own language: a page of another test may have had its own."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_memory_of_failures() -> None:
    """Let no test find a model left alone because of another test's failures."""
    breaker.reset()


@pytest.fixture
def other_user(django_user_model: type[User]) -> User:
    """Return somebody else with an account."""
    return django_user_model.objects.create_user("another", password="pw")


@pytest.fixture
def conversation(parrot: Parrot, user: User) -> SmartConversation:
    """Return an empty conversation of the user with the Parrot."""
    return SmartConversation.objects.create(parrot=parrot, user=user)


@pytest.fixture
def signed_in(user: User) -> Client:
    """Return a browser in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
async def replies() -> AsyncIterator[None]:
    """Run replies on the test's loop, and end what is left of them."""
    dispatch.serve()
    yield
    await dispatch.ashutdown()


@pytest.fixture
def scripted(settings: LazySettings) -> Callable[..., None]:
    """Return a function that lets the default model answer by a script."""

    def set_script(**script: Any) -> None:
        settings.POLLY = {
            **settings.POLLY,
            "DEFAULT_MODEL": "SCRIPTED",
            "MODELS": {
                "SCRIPTED": {
                    "label": "Scripted",
                    "backend": "polly_htmx.llm.scripted.ScriptedInvoker",
                    "params": script,
                }
            },
        }

    return set_script
