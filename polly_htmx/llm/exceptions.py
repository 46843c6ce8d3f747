"""
What can go wrong with a model: provider faults in the package's own words.

LLMError
  + NotConfigured      no such file, engine, key or address
    x UnknownModel     no model has that name, or none any more
    x BadParameter     the model does not take a parameter, or not with that value
  x NotAuthorised      the provider refused the key
  x RateLimited        too many requests; ``retry_after`` says when to come back
  + ContextTooLong     the conversation does not fit into the model's window
    x MessageTooLongForModel  not even its newest message does
  x ContentRefused     the provider's filter refused to answer
  x RequestRefused     the provider does not take the request as it stands
  + Unavailable        the provider did not answer, or with an error of its own
    x TimedOut         one of our deadlines passed
    x Unreachable      nobody took the call at the provider's address
  x Interrupted        the answer broke off; what came is kept
  + BadResponse        the provider sent something that is not an answer
    x EmptyAnswer      the provider ended without a word

None of these ever carries the provider's own text: that may hold keys,
addresses or markup.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from polly_htmx.exceptions import PollyError


class LLMError(PollyError):
    """A model could not be used. Do not raise directly."""

    code = "llm-error"
    user_message = _("The model could not answer. Please try again.")


class NotConfigured(LLMError):
    """The model is not set up: no such name, file, engine, key or address."""

    code = "not-configured"
    user_message = _("The model of this chat is not set up. Please tell the operator.")


class UnknownModel(NotConfigured):
    """There is no model of that name, or not any more."""

    code = "unknown-model"
    user_message = _(
        "The model of this chat is not there any more. Please tell the operator."
    )


class BadParameter(NotConfigured):
    """A parameter that the model does not take, or not with that value."""

    code = "bad-parameter"
    user_message = _(
        "The model of this chat can't be asked the way it is set up. "
        "Please tell the operator."
    )


class NotAuthorised(LLMError):
    """The provider refused the credentials."""

    code = "not-authorised"
    user_message = _(
        "The model's provider refused this site's credentials. "
        "Please tell the operator."
    )


class RateLimited(LLMError):
    """The provider takes no more requests for now."""

    code = "rate-limited"
    user_message = _("The model is busy. Please try again in a little while.")

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds until the provider wants to be asked again, where it said so."""


class ContextTooLong(LLMError):
    """The conversation does not fit into the model's context window."""

    code = "context-too-long"
    user_message = _("This chat has grown too long for the model. Please start anew.")


class MessageTooLongForModel(ContextTooLong):
    """The newest message alone does not fit into the model's context window."""

    code = "message-too-long-for-model"
    user_message = _(
        "Your message is too long for this model. "
        "Please shorten it, or send it in smaller parts."
    )


class ContentRefused(LLMError):
    """The provider's content filter stopped the answer."""

    code = "content-refused"
    user_message = _("The model's provider stopped this answer by its content filter.")


class RequestRefused(LLMError):
    """The provider does not take the request as it stands."""

    code = "request-refused"
    user_message = _("The model could not take this message. Please try another one.")


class Unavailable(LLMError):
    """The provider could not be reached, or failed."""

    code = "unavailable"
    user_message = _("The model cannot be reached at the moment. Please try again.")


class TimedOut(Unavailable):
    """The provider took longer than our deadlines allow."""

    code = "timed-out"
    user_message = _("The model took too long to answer. Please try again.")


class Unreachable(Unavailable):
    """Nobody took the call at the provider's address within CONNECT_TIMEOUT."""

    code = "unreachable"
    user_message = _("The model cannot be reached at the moment. Please try again.")


class Interrupted(LLMError):
    """The answer broke off before its end."""

    code = "interrupted"
    user_message = _("The answer broke off before its end.")


class BadResponse(LLMError):
    """The provider sent something that is not an answer."""

    code = "bad-response"
    user_message = _("The model sent something unreadable. Please try again.")


class EmptyAnswer(BadResponse):
    """The provider ended the answer without a word."""

    code = "empty-answer"
    user_message = _("The model sent an empty answer. Please try again.")


class NoStructuredAnswer(BadResponse):
    """No answer was of the shape that was asked for, not after repairs either."""

    code = "no-structured-answer"
    user_message = _("The model did not give an answer that can be used.")

    def __init__(self, detail: str = "", *, problems: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.problems = dict(problems)
        """What was wrong with the last answer, by its place in there. May quote it."""
