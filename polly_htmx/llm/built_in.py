"""Short ways to write the built-in models down: by provider, server and file."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise

from polly_htmx.llm.catalogue import OFFERS
from polly_htmx.llm.figures import Figures, Takes
from polly_htmx.llm.model_entry import ENV, ModelEntry

KEYS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "openai": "OPENAI_API_KEY",
    "xai": "XAI_API_KEY",
}
"""Where a provider's key lies, by the prefix of litellm's ids."""

LLAMA_CPP = "http://127.0.0.1:8080/v1"
OLLAMA = "http://127.0.0.1:11434/v1"
VLLM = "http://127.0.0.1:8000/v1"
"""Where these servers listen if nobody has told them otherwise."""

TEXT_ALONE = Takes(system_prompt=True, images=False, tools=False, reasoning=False)
"""What the small models of the catalogue take."""


def hosted(name: str, label: str, model: str) -> ModelEntry:
    """Return a provider's model, by litellm's id; only the id and the label are ours."""
    variable = KEYS[model.partition("/")[0]]
    return ModelEntry(
        name, label=label, litellm_model=model, api_key_source=f"{ENV}{variable}"
    )


def served(name: str, label: str, model: str, address: str) -> ModelEntry:
    """Return a model on a server of this machine that speaks OpenAI's format."""
    return ModelEntry(name, label=label, litellm_model=model, api_base=address)


def local(
    name: str, offer: str, label: str | Promise, window: int, **params: Any
) -> ModelEntry:
    """Return a model of the catalogue of files, trained for so many tokens."""
    return ModelEntry(
        name,
        label=label,
        litellm_model=f"openai/{offer}",
        params=params,
        file=OFFERS[offer].file,
        given=Figures(context_window=window, takes=TEXT_ALONE),
    )
