"""What a page may ask for over its socket, beside sending a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from polly_htmx.access import Who
from polly_htmx.chat import (
    acontinue_reply,
    aedit_message,
    aregenerate,
    astop_reply,
    aswitch_version,
)
from polly_htmx.chat.composing import TakenBack, take_back_into_draft
from polly_htmx.chat.conversations import message_in
from polly_htmx.chat.database import in_database
from polly_htmx.chat.queue import queued_in, release
from polly_htmx.consumers.frames import Frame
from polly_htmx.exceptions import MessageGone, NotFound
from polly_htmx.models import Message, SmartConversation

Action = Callable[[Message, Who, Frame], Awaitable[object]]


async def _edit(message: Message, who: Who, frame: Frame) -> None:
    await aedit_message(message, frame.message, who=who, nonce=frame.nonce)


ACTIONS: dict[str, Action] = {
    "stop": lambda message, who, _frame: astop_reply(message, who=who),
    "regenerate": lambda message, who, _frame: aregenerate(message, who=who),
    "continue": lambda message, who, _frame: acontinue_reply(message, who=who),
    "edit": _edit,
    "switch": lambda message, who, _frame: aswitch_version(message, who=who),
}


QUEUE_ACTIONS: dict[str, Callable[..., TakenBack | None]] = {
    "unqueue": take_back_into_draft,
    "release": release,
}


async def act(
    conversation: SmartConversation, who: Who, frame: Frame
) -> TakenBack | None:
    """
    Do what a frame asks for with the message that it names.

    Returns what goes back to the composer, if there is something.
    """
    if frame.action in QUEUE_ACTIONS:
        work = QUEUE_ACTIONS[frame.action]

        def act_on_queue() -> TakenBack | None:
            return work(queued_in(conversation, frame.target), who=who)

        return await in_database(act_on_queue)()
    try:
        message = await in_database(message_in)(conversation, frame.target)
    except NotFound:
        # Not the conversation: the page stays on the line.
        raise MessageGone from None
    await ACTIONS[frame.action](message, who, frame)
    return None
