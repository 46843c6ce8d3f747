"""Signals: moments of a conversation that a site may listen to."""

from __future__ import annotations

from django.dispatch import Signal

# Sent after a turn is committed.
# Arguments: conversation (SmartConversation), message (the user's Message),
# reply (the pending Message, or None where a person of the staff answers).
turn_taken = Signal()

# Sent when a runner has taken a reply, before the model is asked.
# Arguments: conversation (SmartConversation), message (the reply).
reply_started = Signal()

# Sent after a reply's end is saved, whatever the end is: see message.status.
# Arguments: conversation (SmartConversation), message (the reply).
reply_finished = Signal()
