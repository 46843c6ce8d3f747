"""manage.py warm_model: see whether a model answers, and how fast."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from polly_htmx.exceptions import PollyError
from polly_htmx.llm import Finished, LLMConnect, Text, litellm_port, local, problem
from polly_htmx.llm.exceptions import EmptyAnswer

MESSAGE = "Say hello in one short sentence."
TOKENS = 32


class Command(BaseCommand):
    """Answers 0 if the model can be used, and 1 with a sentence if not."""

    help = (
        "Loads a local model and sends it one short message, or looks whether a hosted "
        "one is set up. Tells how long loading and the first word take, and the speed."
    )
    requires_system_checks: list[str] = []  # Ours say the same for all models at once.

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument("name", nargs="?", help="of the model; else DEFAULT_MODEL")
        parser.add_argument(
            "--call",
            action="store_true",
            help="ask a hosted model too, for one token: that may cost money",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        try:
            self._warm(options["name"], may_spend=options["call"])
        except PollyError as exc:
            raise CommandError(f"{_said(exc)}") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None

    def _warm(self, name: str | None, *, may_spend: bool) -> None:
        connect = LLMConnect(name)
        model = connect.model
        if found := problem(model):
            raise CommandError(f"{model.name}: {found.text} {found.hint}")
        connect.fallbacks = ()  # This one is meant, and no other.
        connect.invoker()  # Says if there is no such backend.
        is_free = bool(model.file) or model.is_mock
        if not is_free and not may_spend:
            self.stdout.write(f"{model.name} is set up. --call asks it for one token.")
            return
        if model.file:
            begun = time.monotonic()
            local.serve(model.file)
            self.stdout.write(f"Loaded: {time.monotonic() - begun:.2f} s")
        litellm_port.load()  # Else its import would count as the model's time.
        connect.params["max_tokens"] = TOKENS if is_free else 1
        try:
            first, seconds, tokens = asyncio.run(_timed(connect))
        except EmptyAnswer:
            if is_free:
                raise
            # One that thinks first has no word to say within one token.
            self.stdout.write(f"{model.name} answers.")
            return
        self.stdout.write(f"First words: {first:.2f} s")
        if tokens > 1 and seconds > first:
            speed = (tokens - 1) / (seconds - first)
            self.stdout.write(f"Speed: {speed:.1f} tokens/s")
        self.stdout.write(f"{model.name} answers.")


async def _timed(connect: LLMConnect) -> tuple[float, float, int]:
    """Return the seconds to the first piece and to the end, and the tokens."""
    begun, first, pieces, usage = time.monotonic(), None, 0, None
    async with aclosing(connect.invoker().astream_events(MESSAGE)) as events:
        async for event in events:
            if isinstance(event, Text):
                pieces += 1
                first = first or time.monotonic() - begun
            elif isinstance(event, Finished):
                usage = event.reply.usage
    seconds = time.monotonic() - begun
    return first or seconds, seconds, usage.output_tokens if usage else pieces


def _said(exc: PollyError) -> str:
    """Return what an operator may read: our own detail, else the visitors' sentence."""
    return exc.args[0] if exc.args and exc.args[0] else str(exc.user_message)
