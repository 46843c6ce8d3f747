"""Statements: what is written by hand does what Django's own would have done."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.signals import ModelSignal, post_save, pre_save
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from polly_htmx.models import Message, Parrot, ParrotVersion, SmartConversation
from polly_htmx.statements import Plus, Rows

pytestmark = pytest.mark.django_db

OWNER = uuid.uuid4()
QUOTED = 'It\'s 100 % "quoted" \\ `text` %s; -- ü 🦜'


def values_of(model: Any) -> list[dict[str, Any]]:
    """Return all that is stored of a model."""
    return list(model.objects.order_by("pk").values())


@pytest.fixture
def replies_of_two(conversation: SmartConversation) -> list[Message]:
    """Return three messages, the second of them a reply that somebody writes."""
    asked = Message.objects.create(conversation=conversation, party="USER")
    held = Message.objects.create(
        conversation=conversation,
        party="ASSISTANT",
        status="streaming",
        lease_owner=OWNER,
        lease_until=timezone.now(),
    )
    other = Message.objects.create(conversation=conversation, party="USER")
    return [asked, held, other]


CHANGES: list[dict[str, Any]] = [
    {"content": QUOTED, "left_out": 3},
    {"lease_owner": None, "lease_until": None, "stop_requested": True},
    {"lease_owner": uuid.uuid4(), "finished_at": timezone.now() - timedelta(days=1)},
    {"status": Message.Status.COMPLETE, "parent": None},
    {"parent_id": None, "error": ""},
]


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize(
    "where",
    [
        {"status": Message.Status.STREAMING, "lease_owner": OWNER},
        {"lease_owner": None, "stop_requested": False},
        {"lease_owner": uuid.uuid4()},
    ],
)
def test_update_changes_what_the_queryset_would_have_changed(
    replies_of_two: list[Message], changes: dict[str, Any], where: dict[str, Any]
) -> None:
    def done(update: Callable[[], int]) -> tuple[int, list[dict[str, Any]]]:
        count, found = update(), values_of(Message)
        transaction.set_rollback(True)
        return count, found

    with transaction.atomic():
        by_django = done(lambda: Message.objects.filter(**where).update(**changes))
    with transaction.atomic():
        by_us = done(lambda: Message.objects.where(**where).update(**changes))
    assert by_us == by_django


def test_number_is_raised_by_the_database(conversation: SmartConversation) -> None:
    other = SmartConversation.objects.create(
        parrot=conversation.parrot, user=conversation.user, last_sequence=7
    )
    row = SmartConversation.objects.where(id=other.pk, deleted_at=None)
    assert [row.update(last_sequence=Plus(2)) for _ in range(2)] == [1, 1]
    numbers = SmartConversation.objects.order_by("pk").values_list("last_sequence")
    assert [*numbers] == [(0,), (11,)]


def test_more_columns_leave_fewer_rows(replies_of_two: list[Message]) -> None:
    held = Message.objects.held_by(replies_of_two[1].pk, OWNER)
    assert held.and_where(stop_requested=True).update(content="x") == 0
    assert held.and_where(stop_requested=False).update(content="x") == 1
    assert held.where.keys() == {"id", "lease_owner", "status"}


def test_conditions_that_it_would_not_know_of_are_refused(
    conversation: SmartConversation,
) -> None:
    alive = SmartConversation.objects.alive()
    for given in (alive, alive.none(), SmartConversation.objects.all()[:1]):
        with pytest.raises(TypeError, match="no filter"):
            given.where(id=conversation.pk)
    with pytest.raises(TypeError, match="no filter"):
        conversation.messages.where(status="streaming")


def test_what_the_database_forbids_is_its_own_error(
    replies_of_two: list[Message],
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.where(id=replies_of_two[0].pk).update(party="NOBODY")
    assert Message.objects.where(id=replies_of_two[0].pk).update(content="x") == 1


def test_last_row_is_read_as_a_queryset_reads_it(parrot: Parrot) -> None:
    Parrot.objects.create(name="Molly", parameters={"top_p": 1})
    parrot.parameters, parrot.fallbacks = {"stop": [QUOTED, None, 0.5]}, ["OTHER"]
    parrot.save()
    found = Rows(ParrotVersion, "default", {"parrot": parrot.pk}).last_by("number")
    expected = parrot.versions.get(number=2)
    assert found is not None
    assert found.__dict__ | {"_state": 0} == expected.__dict__ | {"_state": 0}
    assert found._state.db == "default"
    assert not found._state.adding
    assert Rows(ParrotVersion, "default", {"parrot": 0}).last_by("number") is None


@pytest.mark.parametrize(
    "where",
    [
        {"deleted_at": None, "title": ""},
        {"deleted_at": None, "last_sequence": 7},
        {"title": QUOTED, "visitor": OWNER},
        {"title": "", "visitor": OWNER},
    ],
)
def test_first_row_and_what_it_points_to_are_read_as_a_queryset_reads_them(
    conversation: SmartConversation,
    where: dict[str, Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    molly = Parrot.objects.create(name="Molly", parameters={"stop": [QUOTED]})
    SmartConversation.objects.create(parrot=molly, visitor=OWNER, title=QUOTED)
    rows = SmartConversation.objects.select_related("parrot")
    expected = rows.filter(**where).first()
    with django_assert_num_queries(1):
        found = SmartConversation.objects.having(**where).first("parrot")
        names = None if found is None else found.parrot.name
    assert names == (expected and expected.parrot.name)
    for one, other in [
        (found, expected),
        (found and found.parrot, expected and expected.parrot),
    ]:
        if one is not None and other is not None:
            assert _told(one) == _told(other)
            assert one._state.db == "default"
            assert not one._state.adding


def _told(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def _message(conversation: SmartConversation, **fields: Any) -> Message:
    return Message(
        conversation=conversation,
        sequence=1,
        party=Message.Party.USER,
        author=conversation.user,
        content=QUOTED,
        **fields,
    )


@pytest.mark.parametrize(
    "fields", [{"nonce": None}, {"nonce": "n1", "left_out": 3, "lease_owner": OWNER}]
)
def test_new_row_is_stored_as_save_stores_it(
    conversation: SmartConversation,
    fields: dict[str, Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    begun = timezone.now()
    saved = _message(conversation, **fields)
    with transaction.atomic():
        saved.save()
        (by_django,) = values_of(Message)
        transaction.set_rollback(True)
    stored = _message(conversation, external_id=saved.external_id, **fields)
    with django_assert_num_queries(1):
        assert Message.objects.insert(stored) is stored
    (by_us,) = values_of(Message)
    assert stored.pk == by_us.pop("id")
    for name in ("created_at", "updated_at"):
        assert begun <= by_us.pop(name) <= timezone.now()
    assert by_us.items() <= by_django.items()
    assert stored == Message.objects.get()
    assert (stored._state.adding, stored._state.db) == (False, "default")
    stored.content = "another"
    stored.save()
    assert [row["content"] for row in values_of(Message)] == ["another"]


@pytest.mark.parametrize("signal", [pre_save, post_save])
def test_whoever_listens_to_rows_that_are_saved_hears_of_new_ones(
    conversation: SmartConversation, signal: ModelSignal
) -> None:
    heard: list[Any] = []

    def hear(sender: Any, instance: Message, **_rest: Any) -> None:
        heard.append(instance)

    signal.connect(hear, sender=Message)
    try:
        stored = Message.objects.insert(_message(conversation))
    finally:
        signal.disconnect(hear, sender=Message)
    assert heard == [stored]
    assert stored.pk


def test_new_row_that_may_not_be_leaves_the_transaction_to_be_undone(
    conversation: SmartConversation,
) -> None:
    Message.objects.insert(_message(conversation))
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            Message.objects.insert(_message(conversation))
        assert transaction.get_connection().needs_rollback
        transaction.set_rollback(True)
    assert Message.objects.count() == 1


def test_current_version_knows_its_parrot(
    parrot: Parrot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert parrot.current_version().parrot is parrot
