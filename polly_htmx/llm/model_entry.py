"""ModelEntry: what is known about a model before anything is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from polly_htmx.conf import conf
from polly_htmx.llm import price_list
from polly_htmx.llm.addresses import is_local_address
from polly_htmx.llm.figures import FREE, Figures, Price, Takes
from polly_htmx.llm.local import CONTEXT

ENV = "env:"
"""Marks a key that lies in an environment variable."""

OWN_SERVERS = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "oobabooga",
        "vllm",
        "xinference",
    }
)
"""litellm's providers that are programs which somebody runs, and no service."""


class Place(Enum):
    """Where a model runs."""

    EMBEDDED = "embedded"
    """In this process: a GGUF file, the mock, or a backend of the site's own."""
    LOCAL_SERVER = "local-server"
    """On a server of one's own, reached by its address."""
    HOSTED = "hosted"
    """With a provider."""

    @property
    def label(self) -> Promise:
        """Return what a person calls it."""
        return PLACES[self]


PLACES = {
    Place.EMBEDDED: gettext_lazy("Inside this site"),
    Place.LOCAL_SERVER: gettext_lazy("On a server of your own"),
    Place.HOSTED: gettext_lazy("With a provider"),
}


@dataclass(frozen=True)
class ModelEntry:
    """A model: how it is reached, and what is known of it."""

    name: str
    _: KW_ONLY
    # Which Enum would hash when Django is imported, before any language is known.
    label: str | Promise = field(hash=False)
    litellm_model: str
    """The id by which litellm knows it, such as "openai/gpt-5-mini"."""
    api_base: str | None = field(default=None, repr=False)
    api_key_source: str | None = field(default=None, repr=False)
    """The key itself, or "env:NAME" for a key in the environment."""
    params: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)
    """Passed to the model with each message."""
    file: str | None = None
    """Name of the GGUF file that the engine in this process serves."""
    backend: str | None = None
    """Dotted path of the invoker's class, where it isn't LLMInvoker."""
    fallbacks: tuple[str, ...] = ()
    given: Figures = field(default_factory=Figures, repr=False)
    """What is said of the model here; litellm's table knows the rest."""

    @property
    def api_key(self) -> str | None:
        """Return the key, read at this moment; None where there is none."""
        source = self.api_key_source
        if source and source.startswith(ENV):
            return os.environ.get(source.removeprefix(ENV)) or None
        return source or None

    @property
    def is_mock(self) -> bool:
        """Whether litellm's mock answers, which needs nothing."""
        return "mock_response" in self.params

    @property
    def place(self) -> Place:
        """Where the model runs."""
        if self.file or self.backend or self.is_mock:
            return Place.EMBEDDED
        is_near = self.api_base is not None and is_local_address(self.api_base)
        if is_near or self.litellm_model.partition("/")[0] in OWN_SERVERS:
            return Place.LOCAL_SERVER
        return Place.HOSTED

    @property
    def figures(self) -> Figures:
        """Return what is known; reads litellm's table when first asked."""
        if self.place is Place.EMBEDDED:
            return self._own_figures()
        listed = price_list.figures(self.litellm_model)
        return self.given if listed is None else self.given.over(listed)

    def _own_figures(self) -> Figures:
        # No row of the table is about what runs in here, whatever its name.
        if self.backend:
            return self.given
        given = replace(self.given, price=self.given.price or FREE)
        if not self.file:
            return given
        shared = conf.LOCAL_CONTEXT or CONTEXT
        return replace(
            given, context_window=min(given.context_window or shared, shared)
        )

    @property
    def context_window(self) -> int | None:
        """Tokens that fit into a question with all before it; None if not known."""
        return self.figures.context_window

    @property
    def takes(self) -> Takes:
        """What can be sent to it."""
        return self.figures.takes

    @property
    def price(self) -> Price | None:
        """What it costs, None if not known."""
        return self.figures.price

    @classmethod
    def from_setting(cls, name: str, given: Mapping[str, Any]) -> ModelEntry:
        """Read one entry of POLLY["MODELS"]."""
        return cls(
            name,
            label=given.get("label", name),
            litellm_model=given.get("model", f"openai/{name}"),
            api_base=given.get("api_base"),
            api_key_source=given.get("api_key"),
            params=given.get("params", {}),
            file=given.get("file"),
            backend=given.get("backend"),
            fallbacks=tuple(given.get("fallbacks", ())),
            given=Figures.from_setting(given),
        )
