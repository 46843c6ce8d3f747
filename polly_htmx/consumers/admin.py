"""SmartGPTConsumerAdmin: the socket of staff, into anybody's conversation."""

from __future__ import annotations

from polly_htmx import access
from polly_htmx.consumers.base import ConversationConsumer
from polly_htmx.models import SmartConversation


class SmartGPTConsumerAdmin(ConversationConsumer):
    """Streams any conversation to staff who may read messages."""

    reader = "staff"

    def authorise(self) -> SmartConversation:
        return access.open_as_staff(self.who, self.key)
