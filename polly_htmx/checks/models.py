"""Checks of the models that POLLY names: do they exist, and is all there to use them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning as CheckWarning, register
from django.utils.functional import Promise

from polly_htmx.checks.apps import TAG
from polly_htmx.checks.keys import fits, given, unknown
from polly_htmx.checks.use import of_figures, of_use
from polly_htmx.conf import conf
from polly_htmx.llm import LLMModelType, problem
from polly_htmx.llm.problems import NO_ADDRESS

ENTRY = {
    "label": str,
    "model": str,
    "api_base": str,
    "api_key": str,
    "params": dict,
    "fallbacks": list[str],
    "backend": str,
    "file": str,
    "context_window": int,
    "takes": dict,
    "price": dict,
}
"""Keys of an entry of MODELS, and the types of their values."""
WAYS = {"model", "backend", "file"}
"""An entry needs one of these: they say what answers."""


def entries() -> dict[str, dict[str, Any]]:
    """Return the entries of MODELS that can be read; others are reported."""
    models = given().get("MODELS", {})
    if not isinstance(models, dict):
        return {}
    return {
        name: entry
        for name, entry in models.items()
        if isinstance(name, str) and not list(_of_form(name, entry))
    }


@register(TAG)
def check_entries(**_kwargs: Any) -> list[CheckMessage]:
    """Look at the form of each entry of MODELS."""
    models = given().get("MODELS", {})
    if not isinstance(models, dict):
        return []  # Reported with the types of the keys.
    return [each for name in models for each in _of_form(name, models[name])]


@register(TAG)
def check_names(**_kwargs: Any) -> list[CheckMessage]:
    """Look for the models that POLLY names: the default, and fallbacks."""
    known = names()
    found: list[CheckMessage] = []
    named = {
        "DEFAULT_MODEL": given().get("DEFAULT_MODEL", type(conf).DEFAULT_MODEL),
        "TITLES": given().get("TITLES"),
    }
    for key, name in named.items():
        if isinstance(name, str) and name not in known:
            what = f"POLLY[{key!r}] = {name!r}"
            found.append(unknown(what, name, known, "polly.E020"))
    for name, entry in entries().items():
        for fallback in entry.get("fallbacks", ()):
            if fallback not in known:
                what = f"{_path(name)}, fallback {fallback!r}"
                found.append(unknown(what, fallback, known, "polly.E021"))
    return found


@register(TAG)
def check_readiness(**_kwargs: Any) -> list[CheckMessage]:
    """Look for what the named models need: an engine, a file, a key."""
    if not _is_readable():
        return []  # Reported with the types of the keys.
    readable = entries()
    default = given().get("DEFAULT_MODEL", type(conf).DEFAULT_MODEL)
    fallbacks = {
        name for each in readable.values() for name in each.get("fallbacks", ())
    }
    titles = given().get("TITLES")
    wanted = [*readable, *fallbacks, default, titles]
    broken = set(given().get("MODELS", {})) - set(readable)
    return [
        each
        for name in dict.fromkeys(wanted)
        if isinstance(name, str) and name in names() and name not in broken
        for each in _of_readiness(name)
    ]


def _is_readable() -> bool:
    """Tell whether what the models are made from has the right types."""
    polly, types = getattr(settings, "POLLY", {}), conf.types()
    return isinstance(polly, dict) and all(
        fits(polly[key], types[key])
        for key in ("AI_MODELS_PATH", "DEFAULT_MODEL", "MODELS")
        if key in polly
    )


def names() -> set[str]:
    """Return the names of all models, those of broken entries among them."""
    models = given().get("MODELS", {})
    own = models if isinstance(models, dict) else {}
    return {str(name) for name in [*LLMModelType.__members__, *own]}


def _path(name: object) -> str:
    return f'POLLY["MODELS"][{name!r}]'


def _of_form(name: object, entry: object) -> Iterator[CheckMessage]:
    if not isinstance(entry, dict):
        hint = 'Write {"model": "openai/gpt-5-mini", "api_key": "env:OPENAI_API_KEY"}.'
        yield Error(f"{_path(name)} is not a dict.", hint=hint, id="polly.E022")
        return
    for key, value in entry.items():
        if key not in ENTRY:
            what = f"{_path(name)}[{key!r}]"
            yield unknown(what, key, ENTRY, "polly.E023")
        elif not fits(str(value) if isinstance(value, Promise) else value, ENTRY[key]):
            # The value itself may be a key: it is not shown.
            text = f"{_path(name)}[{key!r}] is a {type(value).__name__}."
            yield Error(text, hint="See MODELS in the settings.", id="polly.E022")
    yield from of_figures(_path(name), entry)
    if not WAYS & set(entry):
        yield Error(
            f"{_path(name)} does not say what answers.",
            hint='Give it a "model", such as "openai/gpt-5-mini", or a "backend".',
            id="polly.E024",
        )


def _of_readiness(name: str) -> Iterator[CheckMessage]:
    model = LLMModelType[name]
    if model.backend and not _is_there(model.backend):
        yield Error(
            f"The backend {model.backend!r} of model {name} does not exist.",
            hint="Write the dotted path of a subclass of BaseInvoker.",
            id="polly.E026",
        )
        return
    yield from of_use(model)
    missing = problem(model)
    if missing is None:
        return
    if missing is NO_ADDRESS:
        yield Error(f"Model {name}: {missing.text}", hint=missing.hint, id="polly.E028")
        return
    text = f"Model {name} can't answer: {missing.text}"
    if not model.file:  # A key often is not there where checks run.
        yield CheckWarning(text, hint=missing.hint, id="polly.W021")
    elif _is_untouched_default(name):
        yield CheckWarning(text, hint=missing.hint, id="polly.W020")
    else:
        yield Error(text, hint=missing.hint, id="polly.E025")


def _is_untouched_default(name: str) -> bool:
    return "DEFAULT_MODEL" not in given() and name not in given().get("MODELS", {})


def _is_there(path: str) -> bool:
    """Tell whether the module of a dotted path exists, without importing it."""
    module, _dot, _class = path.rpartition(".")
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
