"""Hooks as a site might write them, for the tests of the chain."""

from __future__ import annotations

import asyncio
from typing import Any

from django.contrib.auth.models import User

from polly_htmx.hooks import Hook, Veto

asked: list[str] = []
"""The texts that hooks have seen, newest last."""


class Shout(Hook):
    """Writes in capitals; plain functions that use the database."""

    def message(self, text: str, **_about: Any) -> str:
        asked.append(text)
        assert User.objects.count() >= 0
        return text.upper()

    def block(self, text: str, **_about: Any) -> str:
        asked.append(text)
        assert User.objects.count() >= 0
        return text.upper()


class Mark(Hook):
    """Adds a mark; async functions that wait."""

    async def message(self, text: str, **_about: Any) -> str:
        await asyncio.sleep(0)
        return f"{text} (seen)"

    async def block(self, text: str, **_about: Any) -> str:
        await asyncio.sleep(0)
        return f"{text} (seen)"


class Watch(Hook):
    """Refuses a word."""

    def message(self, text: str, **_about: Any) -> str:
        if "secret" in text:
            raise Veto("No secrets here, please.")
        return text

    def block(self, text: str, **_about: Any) -> str:
        if "secret" in text:
            raise Veto
        return text


class Judge(Hook):
    """Wants whole answers."""

    whole = True

    async def answer(self, text: str, **_about: Any) -> str:
        asked.append(text)
        if "secret" in text:
            raise Veto
        return f"[{text}]"


class Empty(Hook):
    """Leaves nothing of a message."""

    def message(self, text: str, **_about: Any) -> str:
        return " " * len(text)


class Broken(Hook):
    """Fails in a way of its own."""

    def message(self, text: str, **_about: Any) -> str:
        raise RuntimeError(text)

    async def block(self, text: str, **_about: Any) -> str:
        raise RuntimeError(text)


class Careless(Hook):
    """Cuts a character in two, as a slice of UTF-16 does."""

    def block(self, text: str, **_about: Any) -> str:
        return f"{text}\ud83d\x00"


class Silent(Hook):
    """Forgets to return what it was asked about."""

    def message(self, text: str, **_about: Any) -> Any:
        asked.append(text)

    def block(self, text: str, **_about: Any) -> Any:
        asked.append(text)
