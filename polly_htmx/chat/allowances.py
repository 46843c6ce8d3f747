"""Allowances: reserve for an answer what it may take of a day, before it begins."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from django.db import router, transaction
from django.db.models import Q

from polly_htmx.chat.history import Prompt, prompt_for
from polly_htmx.chat.limits import lock_owner
from polly_htmx.llm import window
from polly_htmx.llm.estimates import Estimate, estimate
from polly_htmx.llm.exceptions import NotConfigured
from polly_htmx.llm.messages import ChatMessage
from polly_htmx.llm.model_type import resolve
from polly_htmx.models import Message, ModelCall, Parrot, SmartConversation, spending
from polly_htmx.models.spending import Cap, Day

TINY = Estimate(input=window.TEMPLATE, wanted=1, least=1)
"""Less than any question takes: where not even this fits, nothing need be read."""


def reserve(reply: Message, parrot: Parrot) -> None:
    """
    Set on a reply, not yet saved, what it may take; nothing where nothing is capped.

    To be called under the conversation's and its owner's locks. Raises OwnDayUsedUp or
    ParrotsDayUsedUp where no answer fits into what is left.
    """
    days = _locked_days(reply.conversation, parrot)
    if not days:
        return
    _check(days)  # Before a long conversation is read in vain.
    with suppress(NotConfigured):  # Then the reply fails at once, and takes nothing.
        share = spending.share_for(_estimate(reply, prompt_for(reply)), days)
        reply.reserved_input, reply.reserved_output = share.input, share.output
        reply.reserved_cost = share.cost


def check_day(conversation: SmartConversation, parrot: Parrot) -> None:
    """Raise OwnDayUsedUp or ParrotsDayUsedUp where not even a short answer fits. Holds
    no lock, so it is for what else would be done in vain."""
    if conversation.answered_by == SmartConversation.AnsweredBy.STAFF:
        return
    _check([spending.day_of(cap) for cap in _caps(conversation, parrot)])


def is_capped(reply: Message) -> bool:
    """Tell whether anything bounds the day of a reply; asks no database."""
    return bool(_caps(reply.conversation, _parrot_of(reply)))


def hold_for_title(
    reply: Message, model: str, messages: list[ChatMessage], tokens: int
) -> ModelCall | None:
    """
    Reserve what a title may take: by a row of its call, to be settled later.

    Returns None where nothing is capped. Raises OwnDayUsedUp or ParrotsDayUsedUp.
    """
    parrot = _parrot_of(reply)
    about = estimate(resolve(model), {"max_tokens": tokens}, (), messages)
    with transaction.atomic():
        lock_owner(reply.conversation)
        days = _locked_days(reply.conversation, parrot)
        if not days:
            return None
        share = spending.share_for(about, days)
        return ModelCall.hold(
            share.tokens,
            share.cost,
            using=router.db_for_write(ModelCall),
            purpose=ModelCall.Purpose.TITLE,
            model=model,
            version_id=reply.version_id,
            user_id=reply.conversation.user_id,
            visitor=reply.conversation.visitor,
        )


def settle_title(rows: list[ModelCall], held: ModelCall | None) -> None:
    """Store what a title took in the place of what was held for it."""
    ModelCall.settle(rows, held, using=router.db_for_write(ModelCall))


def _locked_days(conversation: SmartConversation, parrot: Parrot) -> list[Day]:
    """Return how the day stands for all that has a cap, and lock the Parrot if it has."""
    if parrot.has_caps:
        spending.lock_parrot(parrot, router.db_for_write(Parrot))
    return [spending.day_of(cap) for cap in _caps(conversation, parrot)]


def _caps(conversation: SmartConversation, parrot: Parrot) -> list[Cap]:
    own = spending.cap_of_person(conversation.user_id, conversation.visitor)
    caps = [own] if own else []
    return [*caps, spending.cap_of_parrot(parrot)] if parrot.has_caps else caps


def _check(days: list[Day]) -> None:
    for day in days:
        day.output_for(TINY)


def _parrot_of(reply: Message) -> Parrot:
    version = reply.version
    return reply.conversation.parrot if version is None else version.parrot


def _estimate(reply: Message, prompt: Prompt) -> Estimate:
    messages: list[ChatMessage] = [
        {"role": "system", "content": prompt.system_prompt},
        *prompt.history,
        {"role": "user", "content": prompt.text},
    ]
    model = resolve(prompt.model)
    found = estimate(model, prompt.parameters, prompt.fallbacks, messages)
    if prompt.fallbacks or model.fallbacks:
        return found  # Each model has tokens of its own.
    told = _told(reply, prompt, messages[-1])
    return found if told is None else replace(found, input=min(found.input, told))


def _told(reply: Message, prompt: Prompt, last: ChatMessage) -> int | None:
    """
    Return how many tokens a question has at the most by what the provider has counted.

    The question before, with the same character and whole, is all of this one but for
    the last answer and message. Bytes alone would say four times as much, and keep a
    long chat from the rest of its day.
    """
    before = Q(reply=reply.pk) if prompt.is_rest else Q(reply__children=reply.parent_id)
    calls = ModelCall.objects.filter(
        before,
        purpose=ModelCall.Purpose.REPLY,
        exactness=ModelCall.Exactness.EXACT,
        model=prompt.model,
        input_tokens__gt=0,
        version_id=reply.version_id,
        reply__left_out=0,
        reply__instructions=reply.instructions,
        reply__context=reply.context,
    )
    found = calls.order_by("-pk").values_list("input_tokens", "reply__content").first()
    if found is None:
        return None
    asked, answer = found
    said: ChatMessage = {"role": "assistant", "content": answer}
    return (
        int(asked or 0) + window.at_most(said) + window.at_most(last) + window.TEMPLATE
    )
