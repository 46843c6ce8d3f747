"""About an answer: who wrote it, how long it took, what it cost, who else could."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from polly_htmx.conf import conf
from polly_htmx.exceptions import NotFound
from polly_htmx.llm import LLMModelType
from polly_htmx.models import Message, ModelCall, Parrot, SmartConversation

MOST = 30
"""Parrots that are offered at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What an answer took, over all calls that were made for it."""

    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    """US dollars; None where no price is known of any call."""
    is_exact: bool
    """Whether the provider has told all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a reader may know of an answer."""

    time: datetime
    name: str
    """The Parrot's."""
    model: str
    """The label of the model that answered."""
    first_token: float | None
    """Seconds to the first words."""
    seconds: float | None
    """Seconds that were spent on writing, over all calls."""
    usage: Taken | None
    """None where the site does not show it, and where nothing is known."""


def about(message: Message) -> About:
    """Return what a reader may know of an answer; one query."""
    calls = list(message.calls.filter(purpose=ModelCall.Purpose.REPLY).order_by("pk"))
    parrot, model = message.conversation.parrot, ""
    if message.version is not None:
        parrot, model = message.version.parrot, message.version.model
    model = message.answered_by or model
    waits = [call.first_token for call in calls if call.first_token is not None]
    spans = [call.seconds for call in calls if call.seconds is not None]
    return About(
        time=message.started_at or message.created_at,
        name=parrot.name,
        model=dict(LLMModelType.choices).get(model, model),
        first_token=waits[0] if waits else None,
        seconds=sum(spans) if spans else None,
        usage=_taken(calls) if conf.SHOW_USAGE else None,
    )


def other_parrots(message: Message) -> list[Parrot]:
    """
    Return the Parrots that could answer in the place of the one that did.

    None for all but the end of the path, and where a site has chosen the Parrot for
    the place that a chat stands in.
    """
    conversation = message.conversation
    is_end = message.pk == conversation.current_id and message.parent_id is not None
    answers = conversation.answered_by == SmartConversation.AnsweredBy.PARROT
    if message.is_running or conversation.slot or not is_end or not answers:
        return []
    version = message.version
    known = version.parrot_id if version is not None else conversation.parrot_id
    return list(Parrot.objects.active().exclude(pk=known)[:MOST])


def parrot_for(conversation: SmartConversation, external_id: str) -> Parrot | None:
    """
    Return the Parrot that a page asks for, None if it asks for none.

    Raises NotFound for one that is unknown or not offered there.
    """
    if not external_id:
        return None
    try:
        key = uuid.UUID(external_id)
    except ValueError:
        raise NotFound from None
    found = Parrot.objects.active().filter(external_id=key).first()
    if found is None or conversation.slot:
        raise NotFound
    return found


def _taken(calls: Iterable[ModelCall]) -> Taken | None:
    known = [call for call in calls if call.output_tokens is not None]
    if not known:
        return None
    costs = [call.cost for call in known if call.cost is not None]
    return Taken(
        input_tokens=sum(call.input_tokens or 0 for call in known),
        output_tokens=sum(call.output_tokens or 0 for call in known),
        cost=sum(costs, Decimal()) if costs else None,
        is_exact=all(call.exactness == ModelCall.Exactness.EXACT for call in known),
    )
