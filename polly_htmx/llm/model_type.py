"""The models that can be chosen: the built-in ones and those of POLLY["MODELS"]."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum, EnumType
from typing import Any, Literal, cast

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions

Where = Literal["embedded", "local", "hosted", "mock", "custom"]

ENV = "env:"
"""Marks a key that lies in an environment variable."""


@dataclass(frozen=True)
class ModelEntry:
    """What is known about a model before anything is loaded."""

    name: str
    _: KW_ONLY
    label: str
    litellm_model: str
    """The id by which litellm knows it, such as "openai/gpt-5-mini"."""
    where: Where = "custom"
    """Embedded in the package, a local file, a hosted service, litellm's mock, or
    whatever the site set up."""
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

    @property
    def api_key(self) -> str | None:
        """Return the key, read at this moment; None where there is none."""
        source = self.api_key_source
        if source and source.startswith(ENV):
            return os.environ.get(source.removeprefix(ENV)) or None
        return source or None

    @classmethod
    def from_setting(cls, name: str, given: Mapping[str, Any]) -> ModelEntry:
        """Read one entry of POLLY["MODELS"]."""
        file = given.get("file")
        return cls(
            name,
            label=given.get("label", name),
            litellm_model=given.get("model", f"openai/{name}"),
            where="local" if file else "custom",
            api_base=given.get("api_base"),
            api_key_source=given.get("api_key"),
            params=given.get("params", {}),
            file=file,
            backend=given.get("backend"),
            fallbacks=tuple(given.get("fallbacks", ())),
        )


class _SeesSettings(EnumType):
    """Lets the enumeration's subscription and choices see POLLY["MODELS"]."""

    def __getitem__(cls, name: str) -> LLMModelType:  # type: ignore[override]
        given = conf.MODELS.get(name)
        if given is not None:
            # It has a member's attributes; the type checkers know members only.
            return cast("LLMModelType", ModelEntry.from_setting(name, given))
        return cast("LLMModelType", super().__getitem__(name))

    @property
    def choices(cls) -> list[tuple[str, str]]:
        """Return the name and label of every model, as a form wants them."""
        names = dict.fromkeys([*cls.__members__, *conf.MODELS])
        return [(name, cls[name].label) for name in names]


class LLMModelType(Enum, metaclass=_SeesSettings):
    """
    The models that come with the package.

    ``LLMModelType["NAME"]`` and ``LLMModelType.choices`` also see those of
    POLLY["MODELS"], where a site may replace a built-in one by its name.
    """

    def __init__(self, entry: ModelEntry) -> None:
        self.entry = entry
        self.label = entry.label
        self.litellm_model = entry.litellm_model
        self.where = entry.where
        self.api_base = entry.api_base
        self.params = entry.params
        self.file = entry.file
        self.backend = entry.backend
        self.fallbacks = entry.fallbacks

    @property
    def api_key(self) -> str | None:
        """Return the key, read at this moment; None where there is none."""
        return self.entry.api_key

    @property
    def api_key_source(self) -> str | None:
        """Return where the key comes from."""
        return self.entry.api_key_source

    SMOLLM2_135M_INSTRUCT = ModelEntry(
        "SMOLLM2_135M_INSTRUCT",
        label="SmolLM2 135M (runs inside this site)",
        litellm_model="openai/smollm2-135m-instruct",
        where="embedded",
        # What its makers advise, and an end for the loops of so small a model.
        params={"temperature": 0.2, "top_p": 0.9, "max_tokens": 1024},
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
    )
    DUMMY = ModelEntry(
        "DUMMY",
        label="Dummy (always gives the same answer)",
        litellm_model="openai/dummy",
        where="mock",
        params={
            "mock_response": "I am a dummy. I **always** say the same, and I need "
            "neither a key nor a network."
        },
    )
    GPT_5_4_MINI = ModelEntry(
        "GPT_5_4_MINI",
        label="OpenAI GPT-5.4 mini",
        litellm_model="openai/gpt-5.4-mini",
        where="hosted",
        api_key_source="env:OPENAI_API_KEY",
    )
    CLAUDE_HAIKU_4_5 = ModelEntry(
        "CLAUDE_HAIKU_4_5",
        label="Anthropic Claude Haiku 4.5",
        litellm_model="anthropic/claude-haiku-4-5",
        where="hosted",
        api_key_source="env:ANTHROPIC_API_KEY",
    )
    GEMINI_3_5_FLASH = ModelEntry(
        "GEMINI_3_5_FLASH",
        label="Google Gemini 3.5 Flash",
        litellm_model="gemini/gemini-3.5-flash",
        where="hosted",
        api_key_source="env:GEMINI_API_KEY",
    )
    MISTRAL_SMALL = ModelEntry(
        "MISTRAL_SMALL",
        label="Mistral Small",
        litellm_model="mistral/mistral-small-latest",
        where="hosted",
        api_key_source="env:MISTRAL_API_KEY",
    )


Model = LLMModelType | ModelEntry


def resolve(model: Model | str | None) -> Model:
    """Return the model meant by an object, a name, or None for the default."""
    if isinstance(model, (LLMModelType, ModelEntry)):
        return model
    name = conf.DEFAULT_MODEL if model is None else model
    if name in LLMModelType.__members__ or name in conf.MODELS:
        return LLMModelType[name]
    raise exceptions.NotConfigured(f"There is no model named {name!r}.")
