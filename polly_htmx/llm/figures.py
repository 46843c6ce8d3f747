"""Figures: what is known of a model: its window, what it takes, and its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Self

from polly_htmx.llm.messages import Usage

MILLION = 1_000_000
"""Prices are given for so many tokens, as the providers write them."""


PRICED = ("input", "output", "cached_input")
"""Keys of the price of an entry of MODELS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Takes:
    """
    What can be sent to a model: True, False, or None where nobody knows.

    Only a plain False is a reason to send something otherwise, or not at all: a model
    on a server of one's own is not refused what it may well understand.
    """

    system_prompt: bool | None = None
    images: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None
    """Whether it thinks before it answers, and can be told how long."""

    @classmethod
    def names(cls) -> list[str]:
        """Return what may be known."""
        return [each.name for each in fields(cls)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a model costs, in US dollars a token."""

    input: Decimal
    output: Decimal
    """Of the answer and of the thoughts before it."""
    cached_input: Decimal | None = None
    """Of input that the provider had in its cache; None where it costs the same."""

    @classmethod
    def from_setting(cls, given: Mapping[str, Any]) -> Self:
        """Read the price of an entry of MODELS, in US dollars a million tokens."""
        zero = {"input": Decimal(0), "output": Decimal(0)}
        told = {
            key: Decimal(str(given[key])) / MILLION for key in PRICED if key in given
        }
        return cls(**(zero | told))

    def of(self, usage: Usage) -> Decimal:
        """Return what these tokens cost, in US dollars."""
        cached = min(usage.cached_input_tokens, usage.input_tokens)
        cheaper = self.input if self.cached_input is None else self.cached_input
        asked = self.input * (usage.input_tokens - cached) + cheaper * cached
        return asked + self.output * usage.output_tokens


FREE = Price(input=Decimal(0), output=Decimal(0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What is known of a model; None stands for what is not."""

    context_window: int | None = None
    """Tokens that a question may have, with its history and the system prompt."""
    max_output: int | None = None
    """Tokens that an answer may have."""
    takes: Takes = Takes()
    price: Price | None = None
    samples: bool = True
    """Whether it takes temperature and the like; some fix those themselves."""
    efforts: frozenset[str] | None = None
    """Values of reasoning_effort that it takes; None where nobody knows."""

    @classmethod
    def from_setting(cls, entry: Mapping[str, Any]) -> Self:
        """Read what an entry of MODELS says of its model. The checks look at it."""
        takes, price = entry.get("takes") or {}, entry.get("price")
        return cls(
            context_window=entry.get("context_window"),
            takes=Takes(**{name: takes.get(name) for name in Takes.names()}),
            price=None if price is None else Price.from_setting(price),
        )

    def over(self, others: Figures) -> Figures:
        """Return the others, with what is known here in their place."""
        mine = {
            name: value
            for name in Takes.names()
            if (value := getattr(self.takes, name)) is not None
        }
        return replace(
            others,
            context_window=self.context_window or others.context_window,
            takes=replace(others.takes, **mine),
            price=self.price or others.price,
            # The table may speak of effort where the site knows better.
            efforts=None if "reasoning" in mine else others.efforts,
        )
