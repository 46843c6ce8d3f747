"""What keeps a model from answering, found without loading anything."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

from polly_htmx.conf import conf
from polly_htmx.llm import files
from polly_htmx.llm.addresses import is_address
from polly_htmx.llm.catalogue import OFFERS
from polly_htmx.llm.model_type import ENV, Model


class Problem(NamedTuple):
    """What is missing, and what to do about it: for operators, in English."""

    text: str
    hint: str


NO_ADDRESS = Problem(
    "Its api_base is no address.",  # Which may hold a key: it is not shown.
    "Write scheme and host, such as http://127.0.0.1:8080/v1",
)


def problem(model: Model) -> Problem | None:
    """Return what is missing for a model, or None when it can be tried."""
    if model.backend or model.is_mock:
        return None
    if model.file:
        return _engine() or _file(model.file)
    if model.api_base is not None and not is_address(model.api_base):
        return NO_ADDRESS
    return _key(model.api_key_source, model.api_key)


def _engine() -> Problem | None:
    if importlib.util.find_spec("xllamacpp"):
        return None
    return Problem(
        "The engine for models in this process is not installed.",
        'Run: pip install "polly-htmx[local]"',
    )


def _file(file: str) -> Problem | None:
    path = files.find(file)
    if path is None:
        return Problem(
            f"The model file {file} is missing.",
            f"{_remedy(file)}, or put the file into {conf.AI_MODELS_PATH}.",
        )
    if not files.is_gguf(path):
        return Problem(
            f"{path} is not a GGUF file.",
            "Remove it and fetch it again: the download may have broken off.",
        )
    return None


def _remedy(file: str) -> str:
    """Return the command that brings a file."""
    for offer in OFFERS.values():
        if offer.file == file:
            return f"Run: manage.py download_model {offer.name}"
    return f"Run: manage.py download_model {file} URL"


def _key(source: str | None, key: str | None) -> Problem | None:
    if source and not key:
        variable = source.removeprefix(ENV)
        return Problem(
            f"The environment variable {variable} is empty.",
            f"Set {variable} to the provider's API key.",
        )
    return None
