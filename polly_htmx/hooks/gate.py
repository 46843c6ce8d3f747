"""The gate: what the hooks let through of an answer, while the model writes it."""

from __future__ import annotations

from polly_htmx.hooks.base import Hook
from polly_htmx.hooks.blocks import BlockReader
from polly_htmx.hooks.chain import chain, overrides, pass_answer
from polly_htmx.models import Message


class AnswerGate:
    """
    One answer on its way through the hooks.

    Without hooks for answers nothing is held back. With some, a part goes through
    once it is whole; with one that wants whole answers, nothing before the end.
    """

    def __init__(self, reply: Message) -> None:
        self.reply = reply
        self._hooks = [
            hook for hook in chain() if hook.whole or overrides(hook, "block")
        ]
        self._whole = any(hook.whole for hook in self._hooks)
        self._reader = BlockReader()
        self._held: list[str] = []

    @property
    def active(self) -> bool:
        """Whether any hook wants to see the answer."""
        return bool(self._hooks)

    async def add(self, text: str) -> str:
        """
        Take the next piece; return what may be shown now, "" for nothing.

        Raises Veto, or HookFailed if a hook is broken; so does end().
        """
        if not self._hooks:
            return text
        if self._whole:
            self._held.append(text)
            return ""
        return await self._pass(self._reader.add(text), self._hooks)

    async def end(self) -> str:
        """Return the rest of what may be shown, at the answer's end."""
        if not self._whole:
            return await self._pass(self._reader.end(), self._hooks)
        text, self._held = "".join(self._held), []
        for hook in self._hooks:
            if not hook.whole:
                reader = BlockReader()
                text = await self._pass([*reader.add(text), *reader.end()], [hook])
            elif text.strip():
                text = await pass_answer(hook.answer, text, reply=self.reply)
        return text

    async def _pass(self, blocks: list[str], hooks: list[Hook]) -> str:
        return "".join([await self._pass_block(block, hooks) for block in blocks])

    async def _pass_block(self, block: str, hooks: list[Hook]) -> str:
        text = block.rstrip()
        gap = block[len(text) :]
        for hook in hooks:
            if text.strip():
                text = await pass_answer(hook.block, text, reply=self.reply)
        return text + gap
