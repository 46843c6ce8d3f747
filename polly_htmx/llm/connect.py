"""From a model or a Parrot to a connection that is ready to be used."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from typing import Any, Protocol, Self

from django.utils.module_loading import import_string

from polly_htmx.llm import exceptions, parameters, structured
from polly_htmx.llm.base_invoker import BaseInvoker
from polly_htmx.llm.invoker import LLMInvoker
from polly_htmx.llm.messages import ChatMessage, Content
from polly_htmx.llm.model_type import Model, resolve

logger = logging.getLogger(__name__)


class Character(Protocol):
    """What a connection takes from a Parrot."""

    @property
    def model(self) -> str: ...
    @property
    def system_prompt(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def fallbacks(self) -> Sequence[str]: ...


class LLMConnect:
    """
    A model with a system prompt and parameters.

    Nothing is loaded before the first message, so making one is cheap.
    """

    def __init__(
        self,
        model: Model | str | None = None,
        *,
        system_prompt: str = "",
        **params: Any,
    ) -> None:
        self.model = resolve(model)
        self.system_prompt = system_prompt
        self.params: dict[str, Any] = {**self.model.params, **params}
        parameters.require(self.model, self.params, of_parrot=False)
        self.fallbacks: Sequence[str] = self.model.fallbacks
        """Names of the models that answer, in this order, where this one can't."""
        self._own = params
        self._is_parrots = False

    @classmethod
    def for_parrot(cls, parrot: Character) -> Self:
        """
        Connect as a Parrot: with its model, prompt, parameters and fallbacks.

        Where the Parrot names fallbacks, those of its model are not asked: a list is
        what somebody wrote for this Parrot, and perhaps for whom it may tell.
        """
        model = resolve(parrot.model)
        parameters.require(model, parrot.parameters)
        connect = cls(model, system_prompt=parrot.system_prompt)
        connect.params |= parrot.parameters
        connect._own, connect._is_parrots = dict(parrot.parameters), True
        if parrot.fallbacks:
            connect.fallbacks = tuple(parrot.fallbacks)
        return connect

    def invoker(self, history: Iterable[ChatMessage] = ()) -> BaseInvoker:
        """Begin a conversation, or go on with one."""
        return self._backend()(self, history)

    def having(self, *, system_prompt: str, **params: Any) -> Self:
        """Return the same connection with another prompt and more parameters."""
        other = copy(self)
        other.system_prompt = system_prompt
        other.params, other._own = {**self.params, **params}, {**self._own, **params}
        return other

    def ask(self, prompt: Content, *, schema: Any = None, repairs: int = 2) -> Any:
        """
        Return the Reply to one prompt; with a schema, data of its shape.

        ``schema`` is a pydantic model, which gives an instance of it, or a Django form,
        which gives its cleaned data. An answer that does not fit goes back to the model
        ``repairs`` times; then NoStructuredAnswer is raised.
        """
        if schema is None:
            return self.invoker().send_message(prompt)
        return structured.ask(self, prompt, schema, repairs)

    async def aask(
        self, prompt: Content, *, schema: Any = None, repairs: int = 2
    ) -> Any:
        """See ask()."""
        if schema is None:
            return await self.invoker().asend_message(prompt)
        return await structured.aask(self, prompt, schema, repairs)

    def stand_ins(self) -> list[BaseInvoker]:
        """
        Return invokers of the models that answer where this one can't.

        Each is told the same and has its own parameters below the given ones, without
        those that it does not take. Their own fallbacks are not asked: a list is what
        the operator wrote.
        """
        found = []
        for name in self.fallbacks:
            try:
                model = resolve(name)
                own = parameters.taken(model, self._own, of_parrot=self._is_parrots)
                connect = LLMConnect(model, system_prompt=self.system_prompt, **own)
                found.append(connect.invoker())
            except exceptions.NotConfigured as exc:
                # The others may still answer.
                logger.warning("fallback left out model=%s fault=%s", name, exc)
        return found

    def _backend(self) -> type[BaseInvoker]:
        if not self.model.backend:
            return LLMInvoker
        with suppress(ImportError):
            backend: type[BaseInvoker] = import_string(self.model.backend)
            return backend
        raise exceptions.NotConfigured(f"There is no {self.model.backend}.")
