"""The models that can be chosen: the built-in ones and those of POLLY["MODELS"]."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable
from enum import Enum, EnumType
from typing import cast

from django.utils.translation import gettext, gettext_lazy as _

from polly_htmx.conf import conf
from polly_htmx.llm import exceptions
from polly_htmx.llm.built_in import LLAMA_CPP, OLLAMA, VLLM, hosted, local, served
from polly_htmx.llm.figures import Figures, Price, Takes
from polly_htmx.llm.model_entry import ENV, ModelEntry, Place

logger = logging.getLogger(__name__)

__all__ = ["ENV", "LLMModelType", "Model", "ModelEntry", "Place", "resolve"]


class _SeesSettings(EnumType):
    """Lets the enumeration's subscription and choices see POLLY["MODELS"]."""

    def __getitem__(cls, name: str) -> LLMModelType:  # type: ignore[override]
        given = conf.MODELS.get(name)
        if given is not None:
            # It has a member's attributes; the type checkers know members only.
            return cast("LLMModelType", ModelEntry.from_setting(name, given))
        return cast("LLMModelType", super().__getitem__(name))

    @property
    def names(cls) -> list[str]:
        """Return the name of every model."""
        return list(dict.fromkeys([*cls.__members__, *conf.MODELS]))

    @property
    def choices(cls) -> list[tuple[str, str]]:
        """Return the name and label of every model, as a form wants them."""
        return [(name, str(cls[name].label)) for name in cls.names]

    @property
    def grouped_choices(cls) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the same in groups by where they run; those of the site come first."""
        groups: dict[Place, list[tuple[str, str]]] = {place: [] for place in Place}
        for name in sorted(cls.names, key=lambda name: name not in conf.MODELS):
            groups[cls[name].place].append((name, str(cls[name].label)))
        return [(str(place.label), group) for place, group in groups.items() if group]


class LLMModelType(Enum, metaclass=_SeesSettings):
    """
    The models that come with the package.

    ``LLMModelType["NAME"]`` and ``LLMModelType.choices`` also see those of
    POLLY["MODELS"], where a site may replace a built-in one by its name. The figures of
    a model (its window, what it takes, its price) are read from litellm's table when
    they are asked for. All names are stored in rows: add some, but rename none.
    """

    def __init__(self, entry: ModelEntry) -> None:
        self.entry = entry
        self.label = entry.label
        self.litellm_model = entry.litellm_model
        self.api_base = entry.api_base
        self.params = entry.params
        self.file = entry.file
        self.backend = entry.backend
        self.fallbacks = entry.fallbacks
        self.given = entry.given
        self.is_mock = entry.is_mock
        self.place = entry.place

    @property
    def api_key(self) -> str | None:
        """Return the key, read at this moment; None where there is none."""
        return self.entry.api_key

    @property
    def api_key_source(self) -> str | None:
        """Return where the key comes from."""
        return self.entry.api_key_source

    @property
    def figures(self) -> Figures:
        """Return all that is known of the model."""
        return self.entry.figures

    @property
    def context_window(self) -> int | None:
        """Tokens that fit into a question with all before it; None if not known."""
        return self.entry.context_window

    @property
    def takes(self) -> Takes:
        """What can be sent to it."""
        return self.entry.takes

    @property
    def price(self) -> Price | None:
        """What it costs, None if not known."""
        return self.entry.price

    # What its makers advise, and an end for the loops of so small a model.
    SMOLLM2_135M_INSTRUCT = local(
        "SMOLLM2_135M_INSTRUCT",
        "smollm2-135m",
        _("SmolLM2 135M (runs inside this site)"),
        8_192,
        temperature=0.2,
        top_p=0.9,
        max_tokens=1024,
    )
    SMOLLM2_360M_INSTRUCT = local(
        "SMOLLM2_360M_INSTRUCT", "smollm2-360m", "SmolLM2 360M", 8_192
    )
    SMOLLM2_1_7B_INSTRUCT = local(
        "SMOLLM2_1_7B_INSTRUCT", "smollm2-1.7b", "SmolLM2 1.7B", 8_192
    )
    QWEN2_5_0_5B_INSTRUCT = local(
        "QWEN2_5_0_5B_INSTRUCT", "qwen2.5-0.5b", "Qwen2.5 0.5B", 32_768
    )
    QWEN2_5_1_5B_INSTRUCT = local(
        "QWEN2_5_1_5B_INSTRUCT", "qwen2.5-1.5b", "Qwen2.5 1.5B", 32_768
    )
    DUMMY = ModelEntry(
        "DUMMY",
        label=_("Dummy (always gives the same answer)"),
        litellm_model="openai/dummy",
        params={
            "mock_response": "I am a dummy. I **always** say the same, and I need "
            "neither a key nor a network."
        },
    )

    # These listen on this machine, at the ports they have if nobody says otherwise. For
    # other addresses and models write an entry of MODELS.
    LLAMA_CPP_SERVER = served(
        "LLAMA_CPP_SERVER", "llama.cpp's server", "openai/default", LLAMA_CPP
    )
    OLLAMA_GEMMA3 = served("OLLAMA_GEMMA3", "Ollama: Gemma 3", "openai/gemma3", OLLAMA)
    OLLAMA_LLAMA3_2 = served(
        "OLLAMA_LLAMA3_2", "Ollama: Llama 3.2", "openai/llama3.2", OLLAMA
    )
    OLLAMA_QWEN3 = served("OLLAMA_QWEN3", "Ollama: Qwen3", "openai/qwen3", OLLAMA)
    VLLM_GPT_OSS_20B = served(
        "VLLM_GPT_OSS_20B", "vLLM: gpt-oss 20B", "hosted_vllm/openai/gpt-oss-20b", VLLM
    )

    GPT_6_1_SOL = hosted("GPT_6_1_SOL", "OpenAI GPT-6.1 Sol", "openai/gpt-6.1-sol")
    GPT_6_SOL = hosted("GPT_6_SOL", "OpenAI GPT-6 Sol", "openai/gpt-6-sol")
    GPT_6_LUNA = hosted("GPT_6_LUNA", "OpenAI GPT-6 Luna", "openai/gpt-6-luna")
    GPT_5_6 = hosted("GPT_5_6", "OpenAI GPT-5.6", "openai/gpt-5.6")
    GPT_5_6_LUNA = hosted("GPT_5_6_LUNA", "OpenAI GPT-5.6 Luna", "openai/gpt-5.6-luna")
    GPT_5_4 = hosted("GPT_5_4", "OpenAI GPT-5.4", "openai/gpt-5.4")
    GPT_5_4_MINI = hosted("GPT_5_4_MINI", "OpenAI GPT-5.4 mini", "openai/gpt-5.4-mini")
    CLAUDE_OPUS_5_5 = hosted(
        "CLAUDE_OPUS_5_5", "Anthropic Claude Opus 5.5", "anthropic/claude-opus-5-5"
    )
    CLAUDE_SONNET_5_5 = hosted(
        "CLAUDE_SONNET_5_5",
        "Anthropic Claude Sonnet 5.5",
        "anthropic/claude-sonnet-5-5",
    )
    CLAUDE_HAIKU_5_5 = hosted(
        "CLAUDE_HAIKU_5_5", "Anthropic Claude Haiku 5.5", "anthropic/claude-haiku-5-5"
    )
    CLAUDE_FABLE_5_1 = hosted(
        "CLAUDE_FABLE_5_1", "Anthropic Claude Fable 5.1", "anthropic/claude-fable-5-1"
    )
    CLAUDE_HAIKU_4_5 = hosted(
        "CLAUDE_HAIKU_4_5", "Anthropic Claude Haiku 4.5", "anthropic/claude-haiku-4-5"
    )
    GEMINI_4_ARGON = hosted(
        "GEMINI_4_ARGON", "Google Gemini 4 Argon", "gemini/gemini-4-argon"
    )
    GEMINI_3_8_FLASH = hosted(
        "GEMINI_3_8_FLASH", "Google Gemini 3.8 Flash", "gemini/gemini-3.8-flash"
    )
    GEMINI_3_5_FLASH = hosted(
        "GEMINI_3_5_FLASH", "Google Gemini 3.5 Flash", "gemini/gemini-3.5-flash"
    )
    MISTRAL_LARGE_4 = hosted(
        "MISTRAL_LARGE_4", "Mistral Large 4", "mistral/mistral-large-4"
    )
    MISTRAL_MEDIUM = hosted(
        "MISTRAL_MEDIUM", "Mistral Medium", "mistral/mistral-medium-latest"
    )
    MISTRAL_SMALL = hosted(
        "MISTRAL_SMALL", "Mistral Small", "mistral/mistral-small-latest"
    )
    DEEPSEEK_V4_PRO = hosted(
        "DEEPSEEK_V4_PRO", "DeepSeek V4 Pro", "deepseek/deepseek-v4-pro"
    )
    DEEPSEEK_V4_FLASH = hosted(
        "DEEPSEEK_V4_FLASH", "DeepSeek V4 Flash", "deepseek/deepseek-v4-flash"
    )
    GROQ_GPT_OSS_120B = hosted(
        "GROQ_GPT_OSS_120B", "Groq: gpt-oss 120B", "groq/openai/gpt-oss-120b"
    )
    GROQ_GPT_OSS_20B = hosted(
        "GROQ_GPT_OSS_20B", "Groq: gpt-oss 20B", "groq/openai/gpt-oss-20b"
    )
    GROQ_QWEN3_8_27B = hosted(
        "GROQ_QWEN3_8_27B", "Groq: Qwen3.8 27B", "groq/qwen/qwen3.8-27b"
    )
    GROK_4_7 = hosted("GROK_4_7", "xAI Grok 4.7", "xai/grok-4.7")
    GROK_4_3 = hosted("GROK_4_3", "xAI Grok 4.3", "xai/grok-4.3")


Model = LLMModelType | ModelEntry


def resolve(model: Model | str | None) -> Model:
    """Return the model meant by an object, a name, or None for the default."""
    if isinstance(model, (LLMModelType, ModelEntry)):
        return model
    name = conf.DEFAULT_MODEL if model is None else model
    if is_known(name):
        return LLMModelType[name]
    logger.warning("no such model name=%r", name)
    raise exceptions.UnknownModel(
        f"There is no model named {name!r}.{meant(name, LLMModelType.names)}"
    )


def is_known(name: str) -> bool:
    """Tell whether there is a model of that name now."""
    return name in LLMModelType.__members__ or name in conf.MODELS


def meant(name: str, names: Iterable[str]) -> str:
    """Return the question whether a name near this one was meant, "" for none."""
    near = difflib.get_close_matches(name.upper(), names, n=1)
    return gettext(" Did you mean %(near)s?") % {"near": near[0]} if near else ""
