"""The sockets: SmartGPTConsumer for people, SmartGPTConsumerAdmin for staff."""

from __future__ import annotations

from polly_htmx.consumers.admin import SmartGPTConsumerAdmin
from polly_htmx.consumers.chat import SmartGPTConsumer

__all__ = ["SmartGPTConsumer", "SmartGPTConsumerAdmin"]
