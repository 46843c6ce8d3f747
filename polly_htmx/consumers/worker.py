"""ReplyWorker: writes replies in a process of its own, apart from the web."""

from __future__ import annotations

from typing import Any

from channels.consumer import AsyncConsumer

from polly_htmx.chat import dispatch


class ReplyWorker(AsyncConsumer):
    """
    Hears of pending replies from web processes.

    A worker hands its consumer one message at a time, so each only starts a task;
    of all workers that hear of a reply the one that claims it first writes it.
    """

    async def polly_run(self, message: dict[str, Any]) -> None:
        """Begin to write a reply."""
        dispatch.serve(as_worker=True)
        dispatch.take_on(int(message["reply_id"]))
