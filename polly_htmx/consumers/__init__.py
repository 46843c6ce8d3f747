"""The sockets: SmartGPTConsumer for people, SmartGPTConsumerAdmin for staff, and
ListConsumer for a page that shows the list of chats alone."""

from __future__ import annotations

from polly_htmx.consumers.admin import SmartGPTConsumerAdmin
from polly_htmx.consumers.chat import SmartGPTConsumer
from polly_htmx.consumers.list_page import ListConsumer

__all__ = ["ListConsumer", "SmartGPTConsumer", "SmartGPTConsumerAdmin"]
