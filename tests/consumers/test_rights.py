"""Rights: sockets that are asked in one go get each what it would have got alone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from polly_htmx import access
from polly_htmx.access import Who
from polly_htmx.chat.database import in_database
from polly_htmx.chat.opening import open_conversations
from polly_htmx.consumers import SmartGPTConsumer, SmartGPTConsumerAdmin, rights
from polly_htmx.exceptions import AccessDenied, NotFound, SignInRequired
from polly_htmx.models import Parrot, SmartConversation
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


class OfHost(SmartGPTConsumer):
    """A host's own consumer, with a rule of its own."""

    refuses = False

    def authorise(self) -> SmartConversation:
        if self.refuses:
            raise NotFound
        return super().authorise()


async def answers(*askers: Any) -> list[Any]:
    """Return what all get that ask in one moment: a conversation, or an exception."""
    async with asyncio.timeout(PATIENCE):
        asked = [rights.ask_again(each) for each in askers]
        faults = await asyncio.gather(*asked, return_exceptions=True)
    return [
        type(fault) if fault else asker.conversation
        for fault, asker in zip(faults, askers, strict=True)
    ]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list of all who were asked for in the store of sessions."""
    calls: list[Any] = []
    real = access.who_now

    def who_now(scope: Any) -> Who:
        calls.append(scope["user"])
        return real(scope)

    monkeypatch.setattr(access, "who_now", who_now)
    return calls


@sync_to_async
def sockets_of(
    user: User, parrot: Parrot, count: int, kind: Callable[[], Any] = SmartGPTConsumer
) -> list[Any]:
    """
    Return sockets of one session, each with a conversation of its own.

    As far as rights go: nobody has connected.
    """
    client = Client()
    client.force_login(user)
    made = [kind() for _ in range(count)]
    for each in made:
        chat = SmartConversation.objects.create(parrot=parrot, user=user)
        session = client.session
        session.items()  # Read, as at a handshake.
        each.scope = {"user": user, "session": session}
        each.who, each.key = Who(user=user), str(chat.external_id)
    return made


async def test_each_socket_gets_its_own_answer(
    parrot: Parrot, user: User, other_user: User, counted: list[Any]
) -> None:
    mine, deleted, odd = await sockets_of(user, parrot, 3)
    (theirs,) = await sockets_of(other_user, parrot, 1)
    (foreign,) = await sockets_of(other_user, parrot, 1)
    (gone,) = await sockets_of(user, parrot, 1)
    await SmartConversation.objects.filter(external_id=deleted.key).aupdate(
        deleted_at="2026-01-01T00:00Z"
    )
    odd.key, foreign.key = "x", mine.key
    await sync_to_async(gone.scope["session"].delete)()
    found = await answers(mine, deleted, odd, theirs, foreign, gone)
    assert found[1:3] == [NotFound, NotFound]
    assert found[4:] == [NotFound, SignInRequired]
    assert [str(each.external_id) for each in (found[0], found[3])] == [
        mine.key,
        theirs.key,
    ]
    assert (mine.who, theirs.who) == (Who(user=user), Who(user=other_user))
    assert found[0].parrot == parrot
    # A session is read once for all its sockets.
    assert len(counted) == 4


async def test_staff_and_hosts_own_rules_are_asked_in_their_own_way(
    parrot: Parrot, user: User, other_user: User
) -> None:
    other_user.is_staff = True
    await other_user.asave()
    (mine,) = await sockets_of(user, parrot, 1)
    (staff,) = await sockets_of(other_user, parrot, 1, kind=SmartGPTConsumerAdmin)
    (host,) = await sockets_of(user, parrot, 1, kind=OfHost)
    (refusing,) = await sockets_of(user, parrot, 1, kind=OfHost)
    staff.key, refusing.refuses = mine.key, True
    found = await answers(mine, staff, host, refusing)
    assert found[1:] == [NotFound, host.conversation, NotFound]
    assert str(host.conversation.external_id) == host.key
    all_of_ours = Permission.objects.filter(content_type__app_label="polly_htmx")
    await other_user.user_permissions.aset([each async for each in all_of_ours])
    assert await answers(staff) == [mine.conversation]
    assert staff.who == Who(user=other_user)


def _change(**fields: Any) -> Callable[[Any, User], Any]:
    return lambda _line, user: User.objects.filter(pk=user.pk).update(**fields)


ENDS: dict[str, Callable[[Any, User], Any]] = {
    "deleted": lambda line, _user: line.scope["session"].delete(),
    "expired": lambda *_: Session.objects.update(expire_date="2026-01-01T00:00Z"),
    "broken": lambda *_: Session.objects.update(session_data="x"),
    "closed": _change(is_active=False),
    "another password": _change(password="other"),
    "gone": lambda _line, user: User.objects.filter(pk=user.pk).delete(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_sessions_are_read_again_only_when_something_has_changed(
    parrot: Parrot, user: User, counted: list[Any], end: Callable[[Any, User], Any]
) -> None:
    one, two = await sockets_of(user, parrot, 2)
    for _again in range(3):
        assert await answers(one, two) == [one.conversation, two.conversation]
    assert counted == [user]
    assert one.who == Who(user=user)
    await sync_to_async(end)(one, user)
    assert await answers(one, two) == [SignInRequired] * 2
    assert counted == [user] * 2


async def test_permission_that_is_taken_away_counts_at_once(
    parrot: Parrot, user: User, other_user: User
) -> None:
    other_user.is_staff = True
    await other_user.asave()
    ours = Permission.objects.filter(content_type__app_label="polly_htmx")
    await other_user.user_permissions.aset([each async for each in ours])
    (mine,) = await sockets_of(user, parrot, 1)
    own, staff = await sockets_of(other_user, parrot, 2)
    staff.__class__, staff.key = SmartGPTConsumerAdmin, mine.key
    for _again in range(2):
        assert await answers(own, staff) == [own.conversation, staff.conversation]
    await other_user.user_permissions.aclear()
    # No row of the session or the account has changed.
    assert await answers(own, staff) == [own.conversation, NotFound]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_whoever_sends_is_asked_again_when_something_has_changed(
    parrot: Parrot, user: User, counted: list[Any], end: Callable[[Any, User], Any]
) -> None:
    who_now = sync_to_async(rights.who_now)
    (line,) = await sockets_of(user, parrot, 1)
    for _again in range(3):
        assert await who_now(line) == Who(user=user)
    # What a message has proved need not be asked again by the watch.
    assert await answers(line) == [line.conversation]
    assert counted == [user]
    await sync_to_async(end)(line, user)
    assert await who_now(line) == Who()
    assert counted == [user] * 2


@pytest.mark.parametrize("kind", [SmartGPTConsumerAdmin, OfHost])
async def test_where_more_than_rows_decides_each_message_is_asked_anew(
    parrot: Parrot, user: User, counted: list[Any], kind: Callable[[], Any]
) -> None:
    (line,) = await sockets_of(user, parrot, 1, kind=kind)
    found = [await sync_to_async(rights.who_now)(line) for _again in range(2)]
    assert found == [Who(user=user)] * 2
    assert found[0].user is not found[1].user
    assert len(counted) == 2


def test_message_of_a_known_sender_takes_three_queries_of_permission(
    parrot: Parrot, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    (line,) = async_to_sync(sockets_of)(user, parrot, 1)
    rights.who_now(line)
    with django_assert_num_queries(3):
        line.who = rights.who_now(line)
        line.authorise()


def test_many_sockets_take_as_many_queries_as_one(
    parrot: Parrot,
    user: User,
    other_user: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rights, "HELD", PATIENCE)
    lines = [
        *async_to_sync(sockets_of)(user, parrot, 3),
        *async_to_sync(sockets_of)(other_user, parrot, 3),
    ]
    questions = [
        rights._Question(line, rights.session(line), open_conversations)
        for line in lines
    ]
    for line, answer in zip(lines, rights._answer(questions), strict=True):
        assert isinstance(answer, tuple)
        line.proof = answer[0]
    with django_assert_num_queries(3):
        found = rights._answer(questions)
    keys = [str(each[1].external_id) for each in found if isinstance(each, tuple)]
    assert keys == [line.key for line in lines]


async def test_visitors_are_asked_with_the_others(
    parrot: Parrot, user: User, settings: LazySettings
) -> None:
    (mine,) = await sockets_of(user, parrot, 1)
    visitors = [uuid.uuid4(), uuid.uuid4()]
    chat = await SmartConversation.objects.acreate(parrot=parrot, visitor=visitors[0])
    own: Any = SmartGPTConsumer()
    foreign: Any = SmartGPTConsumer()
    for each, visitor in zip((own, foreign), visitors, strict=True):
        each.scope = {"user": None, "session": {access.VISITOR_KEY: str(visitor)}}
        each.who, each.key = Who(visitor=visitor), str(chat.external_id)
    assert await answers(mine, own) == [mine.conversation, SignInRequired]
    settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": True}
    assert await answers(mine, own, foreign) == [mine.conversation, chat, NotFound]


async def test_fault_with_one_session_is_no_others(
    parrot: Parrot, user: User, other_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = await sockets_of(user, parrot, 1)
    (theirs,) = await sockets_of(other_user, parrot, 1)
    real = access.who_now

    def who_now(scope: Any) -> Who:
        if scope["user"] == user:
            raise OSError
        return real(scope)

    monkeypatch.setattr(access, "who_now", who_now)
    assert await answers(mine, theirs) == [OSError, theirs.conversation]


async def test_others_get_at_the_database_before_all_have_been_asked(
    parrot: Parrot,
    user: User,
    other_user: User,
    counted: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rights, "HELD", -1)
    askers = [
        *await sockets_of(user, parrot, 2),
        *await sockets_of(other_user, parrot, 2),
        *await sockets_of(user, parrot, 1),
    ]
    before: list[int] = []
    someone = in_database(lambda: before.append(len(counted)))
    asked = asyncio.create_task(answers(*askers))
    while not counted:  # noqa: ASYNC110  (nothing tells of it)
        await asyncio.sleep(0)
    await someone()
    found = await asked
    assert found == [each.conversation for each in askers]
    # One session at a time, with all its sockets.
    assert counted == [user, other_user, user]
    assert before[0] < len(counted)


def test_many_are_opened_as_each_would_be(
    parrot: Parrot, user: User, other_user: User, settings: LazySettings
) -> None:
    visitor = uuid.uuid4()
    of_whom: list[dict[str, Any]] = [
        {"user": user},
        {"user": other_user},
        {"visitor": visitor},
        {"user": user, "deleted_at": "2026-01-01T00:00Z"},
    ]
    chats = [
        SmartConversation.objects.create(parrot=parrot, **each) for each in of_whom
    ]
    keys: list[Any] = [chat.external_id for chat in chats]
    keys = [*map(str, keys), str(uuid.uuid4()), "", "x", "\x00", str(keys[0]).upper()]
    people = [Who(user=user), Who(user=other_user), Who(visitor=visitor), Who()]
    asked = [(person, key) for person in people for key in keys]

    def alone(person: Who, key: Any) -> Any:
        try:
            return access.open_conversation(person, key)
        except AccessDenied as exc:
            return type(exc)

    for is_open in (False, True):
        settings.POLLY = {**settings.POLLY, "ALLOW_ANONYMOUS": is_open}
        found = open_conversations(asked)
        kinds = [type(e) if isinstance(e, AccessDenied) else e for e in found]
        assert kinds == [alone(*each) for each in asked]
        assert sum(isinstance(each, SmartConversation) for each in found) == 4
    assert open_conversations([]) == []
