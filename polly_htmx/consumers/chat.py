"""SmartGPTConsumer: the socket of the person whose conversation it is."""

from __future__ import annotations

from polly_htmx import access
from polly_htmx.consumers.base import ConversationConsumer
from polly_htmx.models import SmartConversation


class SmartGPTConsumer(ConversationConsumer):
    """Streams a conversation to its owner."""

    def authorise(self) -> SmartConversation:
        return access.open_conversation(self.who, self.key)
