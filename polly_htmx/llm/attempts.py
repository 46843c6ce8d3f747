"""Attempts: what each call to a model took, also of the ones that failed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from polly_htmx.llm.exceptions import LLMError
from polly_htmx.llm.figures import Price
from polly_htmx.llm.messages import (
    Ending,
    ProviderEvent,
    Reasoning,
    Text,
    Usage,
    Waking,
)

BYTES_PER_TOKEN = 4
"""Of a text in UTF-8, about, over the tokenizers and languages in use. Only for calls
of which the provider tells nothing, because they were stopped or broke off."""


class Priced(Protocol):
    """A model that may know its price: ModelEntry and LLMModelType do."""

    @property
    def price(self) -> Price | None: ...


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One call to a model: by whom, how long, and what for."""

    model: str
    """Name of the model: a member of LLMModelType or a key of POLLY["MODELS"]."""
    ending: Ending | None = None
    """The provider's last word; None where it had none."""
    error: str = ""
    """Code of what went wrong, "" for nothing."""
    asked: int = 0
    """Bytes of what the model was sent, in UTF-8."""
    answered: int = 0
    """Bytes of answer and thoughts that came."""
    first: float | None = None
    """Seconds to the first piece of the answer or of the thoughts."""
    seconds: float | None = None
    """Seconds to the end, whatever it was; None while the call runs."""
    priced: Priced | None = None
    """Who knows the price of the model; None where nobody does."""
    _begun: float = field(default_factory=time.monotonic, repr=False)

    @property
    def has_spoken(self) -> bool:
        """Whether anything has come that somebody may have read by now."""
        return self.first is not None

    @property
    def usage(self) -> Usage | None:
        """Return the tokens it took: told, or else estimated; None where unknown."""
        if self.ending is not None and self.ending.usage is not None:
            return self.ending.usage
        if not self.has_spoken:
            return None
        return Usage(
            input_tokens=-(-self.asked // BYTES_PER_TOKEN),
            output_tokens=-(-self.answered // BYTES_PER_TOKEN),
            exact=False,
        )

    @property
    def cost(self) -> Decimal | None:
        """
        Return what it cost in US dollars, None where that is unknown.

        A call that was stopped or broke off is not billed by name here, but the
        provider counts it: its tokens, estimated as they are, by the price of now. Asks
        for the model's figures, so not on a loop.
        """
        if self.ending is not None:
            return self.ending.cost
        if (usage := self.usage) is None or self.priced is None:
            return None
        price = self.priced.price
        return None if price is None else price.of(usage)

    def heard(self, event: ProviderEvent) -> None:
        """Count one event of the provider's."""
        if isinstance(event, Ending):
            self.ending = event
            return
        if isinstance(event, Waking):
            return  # Nobody reads that as a part of the answer.
        if self.first is None:
            self.first = time.monotonic() - self._begun
        if isinstance(event, (Reasoning, Text)):
            self.answered += len(event.text.encode(errors="replace"))

    def failed(self, problem: LLMError) -> None:
        """Count a failure."""
        self.error = problem.code

    def ended(self) -> None:
        """Count the end."""
        self.seconds = time.monotonic() - self._begun
