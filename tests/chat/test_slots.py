"""Slots: a chat in a page has no row before its first message."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from polly_htmx.access import Who
from polly_htmx.chat.slots import Slot, conversation_for, sign, slot_name, unsign
from polly_htmx.exceptions import NotFound, PageExpired, ParrotRetired
from polly_htmx.models import Parrot, SmartConversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot(parrot: Parrot) -> Slot:
    return Slot(
        conversation=uuid.uuid4(),
        parrot=parrot.external_id,
        name="/help/",
        context="The help page.",
    )


def test_token_carries_the_slot(slot: Slot) -> None:
    assert unsign(sign(slot)) == slot


def test_forged_token_is_refused(slot: Slot) -> None:
    with pytest.raises(PageExpired):
        unsign(sign(slot)[:-1] + "!")


def test_old_token_is_refused(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polly_htmx.chat.slots.MAX_AGE", -1)
    with pytest.raises(PageExpired):
        unsign(sign(slot))


def test_first_message_makes_the_conversation_and_the_next_finds_it(
    slot: Slot, user: User
) -> None:
    made = conversation_for(slot, who=Who(user=user))
    assert (made.external_id, made.slot) == (slot.conversation, "/help/")
    assert made.context == "The help page."
    assert conversation_for(slot, who=Who(user=user)) == made
    assert SmartConversation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_token_of_a_page_that_another_person_used_is_not_found(
    slot: Slot, user: User, other_user: User
) -> None:
    conversation_for(slot, who=Who(user=user))
    with pytest.raises(NotFound):
        conversation_for(slot, who=Who(user=other_user))


def test_slot_of_a_parrot_that_is_gone_is_refused(
    slot: Slot, user: User, parrot: Parrot
) -> None:
    parrot.retired_at = "2026-01-01T00:00Z"
    parrot.save()
    with pytest.raises(ParrotRetired):
        conversation_for(slot, who=Who(user=user))
    lost = Slot(conversation=uuid.uuid4(), parrot=uuid.uuid4(), name="x")
    with pytest.raises(NotFound):
        conversation_for(lost, who=Who(user=user))


@pytest.mark.parametrize("name", ["/help/", "x" * 1000])
def test_slot_name_fits_its_column(name: str) -> None:
    assert len(slot_name(name)) <= 200
    assert slot_name(name) == slot_name(name)


def test_slots_type_is_checked(slot: Slot, settings: Any) -> None:
    settings.SECRET_KEY = "another"
    token = sign(slot)
    settings.SECRET_KEY = "only-for-the-tests"
    with pytest.raises(PageExpired):
        unsign(token)
