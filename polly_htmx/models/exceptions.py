"""
What the caps of a day refuse, with the sentences that a person may read.

ChatError
  + DayUsedUp           a daily cap leaves no room for another answer
    x OwnDayUsedUp      the person's
    x ParrotsDayUsedUp  the Parrot's, by all people together
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from polly_htmx.exceptions import ChatError, ParrotRetired, PollyError, user_message_for


class DayUsedUp(ChatError):
    """
    A daily cap leaves no room for another answer. Do not raise directly.

    ``reason`` is "used"; "held", if what runs has reserved what is left; or "long", if
    only a shorter question fits. ``seconds`` is how long the day lasts. No sentence
    tells of tokens or money.
    """

    code = "day-used-up"
    sentences: dict[str, str | Promise] = {}

    def __init__(self, reason: str = "used", seconds: int = 0) -> None:
        super().__init__(f"No room in the day: {reason}; {seconds} s are left of it.")
        self.reason = reason
        self.user_message = self.sentences[reason]
        if reason != "held":
            self.user_message = format_lazy(
                "{} {}", self.sentences[reason], _more_in(seconds)
            )


def _more_in(seconds: int) -> str | Promise:
    """Return the sentence that says when there is more, in the largest unit."""
    hours, minutes = -(-seconds // 3600), -(-seconds // 60)
    if hours > 1:
        text = ngettext_lazy(
            "There is more in {hours} hour.", "There is more in {hours} hours.", hours
        )
        return format_lazy(text, hours=hours)
    text = ngettext_lazy(
        "There is more in {minutes} minute.",
        "There is more in {minutes} minutes.",
        minutes,
    )
    return format_lazy(text, minutes=minutes)


class OwnDayUsedUp(DayUsedUp):
    """The person has had DAILY_TOKENS or DAILY_COST."""

    code = "own-day-used-up"
    user_message = _("You have used up your share of answers for today.")
    sentences = {
        "used": user_message,
        "held": _(
            "The answers that are being written for you may take what is left of your "
            "share for today. Please try again when they have ended."
        ),
        "long": _(
            "What is left of your share for today is too little for a chat as long as "
            "this one. A new chat takes less."
        ),
    }


class ParrotsDayUsedUp(DayUsedUp):
    """The Parrot has had its daily_tokens or daily_cost, by all people together."""

    code = "parrots-day-used-up"
    user_message = _("This Parrot has given all the answers that it may give today.")
    sentences = {
        "used": user_message,
        "held": _(
            "The answers that this Parrot is writing may take what is left of its day. "
            "Please try again when they have ended."
        ),
        "long": _(
            "What is left of this Parrot's day is too little for a chat as long as this "
            "one. A new chat takes less."
        ),
    }


def lasting(exc: PollyError) -> str:
    """Return what to keep of a refusal that lasts longer than a moment, "" of others."""
    if isinstance(exc, DayUsedUp) and exc.reason != "held":
        return f"{exc.code}:{exc.reason}"
    return exc.code if isinstance(exc, ParrotRetired) else ""


def sentence_of(refusal: str) -> str:
    """Return what a person may read of what lasting() has kept."""
    code, _colon, reason = refusal.partition(":")
    for kind in (OwnDayUsedUp, ParrotsDayUsedUp):
        if kind.code == code:
            return str(kind.sentences.get(reason, kind.user_message))
    return user_message_for(code)
