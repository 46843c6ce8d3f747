"""Structured answers: data of a given shape instead of a text, or a clear exception."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from polly_htmx.llm import exceptions, litellm_port
from polly_htmx.llm.base_invoker import BaseInvoker
from polly_htmx.llm.messages import Content, Reply
from polly_htmx.llm.shapes import Invalid, Shape, first_object, shape_of

if TYPE_CHECKING:
    from polly_htmx.llm.connect import LLMConnect

INSTRUCTION = (
    "Answer with one JSON object that fits this JSON Schema, and with nothing else:\n"
    "{schema}"
)
REPAIR = (
    "That is not what was asked for:\n{problems}\n"
    "Answer again with the whole JSON object that fits the schema, and nothing else."
)
"""For the model, so in English."""
NO_OBJECT = "There is no JSON object in it."
MOST_CHARS = 2_000
"""What a model is told of its mistakes."""
LISTS_FIELDS = 10
"""How many fields an exception names."""


def ask(connect: LLMConnect, prompt: Content, schema: Any, repairs: int) -> Any:
    """
    Return what the model answers to a prompt, in the shape of the schema.

    An answer that does not fit goes back to the model with what is wrong, ``repairs``
    times. Raises NoStructuredAnswer then, or whatever else keeps a model from answering.
    """
    asking = _Asking(connect, prompt, shape_of(schema), repairs)
    asking.begin(native=takes_schema(connect))
    while True:
        try:
            reply = asking.invoker.send_message(asking.message)
        except exceptions.RequestRefused:
            if not asking.without_format():
                raise
            continue
        if asking.take(reply):
            return asking.value


async def aask(connect: LLMConnect, prompt: Content, schema: Any, repairs: int) -> Any:
    """See ask()."""
    asking = _Asking(connect, prompt, shape_of(schema), repairs)
    asking.begin(native=await asyncio.to_thread(takes_schema, connect))
    while True:
        try:
            reply = await asking.invoker.asend_message(asking.message)
        except exceptions.RequestRefused:
            if not asking.without_format():
                raise
            continue
        # Not on the loop: a form may ask the database.
        if await sync_to_async(asking.take)(reply):
            return asking.value


def takes_schema(connect: LLMConnect) -> bool:
    """
    Return whether a model can be held to a schema, as far as is known beforehand.

    May import litellm, so not on a loop. Servers of the site's own are tried: most can.
    """
    model = connect.model
    if model.backend or "mock_response" in connect.params:
        return False
    if model.file or model.api_base or model.litellm_model.startswith("ollama"):
        return True
    return litellm_port.takes_schema(model.litellm_model)


class _Asking:
    """One question for data, with its tries."""

    def __init__(
        self, connect: LLMConnect, prompt: Content, shape: Shape, repairs: int
    ) -> None:
        self.message: Content = prompt
        self.value: Any = None
        self.invoker: BaseInvoker
        self._connect, self._shape = connect, shape
        self._left = self._repairs = max(repairs, 0)
        self._native = False

    def begin(self, *, native: bool) -> None:
        """Make ready to ask, with the provider's own means or by words alone."""
        schema = self._shape.json_schema()
        told = INSTRUCTION.format(schema=json.dumps(schema, ensure_ascii=False))
        prompt = self._connect.system_prompt
        wanted = {"name": self._shape.name, "schema": schema, "strict": False}
        response_format = {"type": "json_schema", "json_schema": wanted}
        self._native = native
        self.invoker = self._connect.having(
            system_prompt=f"{prompt}\n\n{told}" if prompt else told,
            **({"response_format": response_format} if native else {}),
        ).invoker()

    def without_format(self) -> bool:
        """Ask by words alone, if that was not tried: what a server refuses may be the
        format. Return whether there is any use in asking again."""
        if not self._native:
            return False
        history = self.invoker.history
        self.begin(native=False)
        self.invoker.history = history
        return True

    def take(self, reply: Reply) -> bool:
        """Take an answer; return whether it fits. Raises NoStructuredAnswer."""
        try:
            self.value = self._shape.value(_data(reply))
        except Invalid as exc:
            problems = exc.problems
        else:
            return True
        if not self._left:
            fields = ", ".join(list(problems)[:LISTS_FIELDS])
            raise exceptions.NoStructuredAnswer(
                f"No answer fits {self._shape.name} after {self._repairs + 1} tries: "
                f"{fields}.",
                problems=problems,
            )
        self._left -= 1
        lines = "\n".join(f"- {place}: {text}" for place, text in problems.items())
        self.message = REPAIR.format(problems=lines[:MOST_CHARS])
        # Without its question nobody could repair an answer.
        self.invoker.kept = len(self.invoker.history)
        return False


def _data(reply: Reply) -> dict[str, Any]:
    # Some providers are held to a schema by a tool, whose arguments are the answer.
    for text in (reply.text, *(call.arguments for call in reply.tool_calls)):
        found = first_object(text)
        if found is not None:
            return found
    raise Invalid({"answer": NO_OBJECT})
