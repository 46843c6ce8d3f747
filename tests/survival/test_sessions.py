"""Sessions that end: their open sockets close within five seconds, and send nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.line import Line
from tests.live import Site, scripted
from tests.patience import PATIENCE
from tests.rows import Person, SqliteRows
from tests.survival.conftest import polly

pytestmark = pytest.mark.live

SECONDS = 6.0
"""Five are promised; the rest is for a busy machine."""
SIGNED_OUT = 4401
NOT_FOUND = 4404
# Longer than the test takes.
SCRIPT = scripted(text="word " * 2_000, pace=0.03)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a session comes to its end."""

    site: Site
    rows: SqliteRows
    person: Person


def sign_out(scene: Scene) -> None:
    """Leave by the site's own button, in another tab."""
    token = "x" * 32
    answer = httpx.post(
        f"{scene.site.url}/accounts/logout/",
        headers={
            "Cookie": f"{scene.person.cookie}; csrftoken={token}",
            "X-CSRFToken": token,
        },
        trust_env=False,
        timeout=PATIENCE,
    )
    assert answer.status_code == httpx.codes.OK


def change_password(scene: Scene) -> None:
    """Set another password: Django ends all sessions of an account by that."""
    _update(scene, "password = 'md5$other$other'")


def deactivate(scene: Scene) -> None:
    """Close the account."""
    _update(scene, "is_active = FALSE")


def delete_account(scene: Scene) -> None:
    """Delete the account's row; what belongs to it may go later."""
    name = scene.person.name
    scene.rows.all("DELETE FROM auth_user WHERE username = %s", name)


def delete_session(scene: Scene) -> None:
    """Delete the session's row, as a sweep over expired ones does."""
    key = scene.person.cookie.partition("=")[2]
    scene.rows.all("DELETE FROM django_session WHERE session_key = %s", key)


def _update(scene: Scene, change: str) -> None:
    name = scene.person.name
    scene.rows.all(f"UPDATE auth_user SET {change} WHERE username = %s", name)


ENDS: list[Callable[[Scene], None]] = [
    sign_out,
    change_password,
    deactivate,
    delete_account,
    delete_session,
]


@pytest.fixture(scope="module")
def people(file: SqliteRows) -> Iterator[Person]:
    """Return somebody new at each next()."""
    return iter(file.people(len(ENDS) + 2, conversations=3))


@pytest.fixture(scope="module")
def site(file: SqliteRows) -> Iterator[Site]:
    """Return a site whose answers take longer than the tests."""
    with Site(polly=polly(**SCRIPT, SHUTDOWN_GRACE=0), rows=file) as started:
        yield started
        # Told to end it would try for half a minute to save the answer of an account
        # that is gone.
        started.kill()


async def test_ended_session_loses_its_sockets_and_sends_nothing(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    # All at once: each would wait for the watch to come round.
    scenes = [(end, Scene(site=site, rows=file, person=next(people))) for end in ENDS]
    await asyncio.gather(*(_loses_its_sockets(end, scene) for end, scene in scenes))


async def _loses_its_sockets(end: Callable[[Scene], None], scene: Scene) -> None:
    person = scene.person
    idle, streaming, busy = (
        Line(scene.site, chat, person.cookie) for chat in person.conversations
    )
    async with AsyncExitStack() as stack:
        for line in (idle, streaming, busy):
            await stack.enter_async_context(line)
        sockets = [line.socket for line in (idle, streaming, busy)]
        await streaming.send("Hello")
        await streaming.until_shown("word word")
        await asyncio.to_thread(end, scene)
        begun = time.monotonic()
        if busy.socket is not None:  # Else the watch was quicker.
            with suppress(ConnectionClosed):
                await busy.send("Am I still here?")
        for line in (busy, idle, streaming):
            await asyncio.wait_for(line.closed.wait(), PATIENCE)
        taken = time.monotonic() - begun
    assert taken < SECONDS, end.__name__
    for line in (idle, streaming, busy):
        assert "polly-refused" in line.frames[-1], end.__name__
    assert [socket.close_code for socket in sockets] == [SIGNED_OUT] * 3
    assert "data-acked" not in "".join(busy.frames)
    assert not scene.rows.messages(busy.conversation), "The message was stored."


async def test_staff_who_may_read_no_more_lose_the_line(
    site: Site, file: SqliteRows, people: Iterator[Person]
) -> None:
    staff, person = next(people), next(people)
    scene = Scene(site=site, rows=file, person=staff)
    _update(scene, "is_staff = TRUE, is_superuser = TRUE")
    address = f"{site.url.replace('http', 'ws', 1)}/polly/ws/smart-gpt-admin"
    async with (
        Line(site, person.conversations[0], person.cookie) as line,
        connect(
            f"{address}/{person.conversations[0]}/",
            origin=Origin(site.url),
            additional_headers={"Cookie": staff.cookie},
            proxy=None,
        ) as socket,
    ):
        await line.send("Hello")
        while '-status="streaming"' not in str(await socket.recv()):
            pass
        _update(scene, "is_superuser = FALSE")
        begun, last = time.monotonic(), ""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                while True:
                    last = str(await socket.recv())
        assert time.monotonic() - begun < SECONDS
        assert socket.close_code == NOT_FOUND
        assert "polly-refused" in last
        assert not line.closed.is_set(), "The owner's own line stays."
