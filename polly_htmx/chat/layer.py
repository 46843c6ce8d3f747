"""The channel layer: how events reach all who follow a conversation."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from polly_htmx.chat import home
from polly_htmx.chat.events import Event, to_dict
from polly_htmx.models import SmartConversation

logger = logging.getLogger(__name__)

EVENT_TYPE = "polly.event"
"""The type of our messages on the layer: consumers handle it in polly_event()."""


def group_name(conversation: SmartConversation) -> str:
    """Return the group of a conversation's followers, from its public id only."""
    return f"polly.{conversation.external_id.hex}"


async def follow(conversation: SmartConversation, channel: str) -> None:
    """Let a channel hear the events of a conversation."""
    await _layer().group_add(group_name(conversation), channel)


async def unfollow(conversation: SmartConversation, channel: str) -> None:
    """Let a channel hear no more of a conversation."""
    await _layer().group_discard(group_name(conversation), channel)


async def apublish(conversation: SmartConversation, event: Event) -> None:
    """
    Tell all followers of a conversation what happened.

    The layer is a doorbell and the database is the truth, so a layer that is down
    is logged and stops nothing.
    """
    message = {"type": EVENT_TYPE, "event": to_dict(event)}
    try:
        await _layer().group_send(group_name(conversation), message)
    except asyncio.CancelledError:
        raise
    except Exception as exc:  # noqa: BLE001  (each layer raises its own faults)
        logger.warning(
            "channel layer failed conversation=%s fault=%s",
            conversation.external_id,
            type(exc).__name__,
        )


def publish(conversation: SmartConversation, event: Event) -> None:
    """See apublish(); for code that runs in a thread. Does not wait for the layer
    where a loop serves sockets: see home.spawn()."""
    if not home.spawn(partial(apublish, conversation, event)):
        async_to_sync(apublish)(conversation, event)


def _layer() -> Any:
    """Return the site's default layer; a system check sees that there is one."""
    return get_channel_layer()
