"""
The package's exceptions, each with the sentence that a person may read.

PollyError
  + ChatError                a use case said no; nothing was stored
    x BlankMessage
    x MessageTooLong
    x MessageRefused         a hook said no
    x HookFailed             a hook is broken
    x ReplyRunning
    x NotAReply
    x NotContinuable
    x StaffAnswers
    x NonceReused
    x ParrotRetired
    x NoParrot
    x TooManyMessages
    x TooManyReplies
    + models.exceptions.DayUsedUp  a daily cap (drawn in its module)
    x TooManySockets
    x PageExpired
    x MessageGone
    x BadFrame
    x TooManyFrames
  + AccessDenied             permission said no
    x SignInRequired
    x NotFound
    x NotAllowed
  x Withheld                 a hook let nothing more of an answer through
  + llm.exceptions.LLMError  a model could not be used (drawn in its module)
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _, ngettext_lazy

# Texts are put together when they are shown: who raises knows nobody's language.


class PollyError(Exception):
    """
    Root of all that polly_htmx raises. Do not raise directly.

    ``code`` is stable and goes to the database and to logs. ``user_message`` is
    translated, and holds nothing that a visitor may not read.
    """

    code = "error"
    user_message: str | Promise = _("Something went wrong. Please try again.")

    def __str__(self) -> str:
        """Return the given detail, else the class's own first line."""
        return super().__str__() or (type(self).__doc__ or self.code).strip()


class ChatError(PollyError):
    """A use case refused its input. Do not raise directly."""


class BlankMessage(ChatError):
    """The message has no text."""

    code = "blank-message"
    user_message = _("Please write a message first.")


class MessageTooLong(ChatError):
    """The message is longer than MAX_MESSAGE_CHARS."""

    code = "message-too-long"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"The message has {length} characters, {limit} are allowed.")
        text = ngettext_lazy(
            "Your message has {length} characters; at most {limit} is allowed. Please shorten it.",
            "Your message has {length} characters; at most {limit} are allowed. Please shorten it.",
            limit,
        )
        self.user_message = format_lazy(text, length=length, limit=limit)


class MessageRefused(ChatError):
    """A hook of the site refused the message."""

    code = "message-refused"
    user_message: str | Promise = _(
        "This message can't be sent here. Please change it."
    )

    def __init__(self, reason: str | Promise = "") -> None:
        super().__init__("A hook refused the message.")
        if reason:
            self.user_message = reason


class HookFailed(ChatError):
    """A hook of the site is broken, and so lets nothing through."""

    code = "hook-failed"
    user_message = _("The text could not be checked. Please try again later.")


class ReplyRunning(ChatError):
    """A reply of this conversation is still running."""

    code = "reply-running"
    user_message = _(
        "An answer is still being written here. "
        "Please wait until it has ended, or stop it."
    )


class QueueFull(ChatError):
    """As many messages as MAX_QUEUED wait in this conversation already."""

    code = "queue-full"

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} messages wait already.")
        text = ngettext_lazy(
            "{limit} message is waiting already. Please send yours when the answer has ended.",
            "{limit} messages are waiting already. Please send yours when the answer has ended.",
            limit,
        )
        self.user_message = format_lazy(text, limit=limit)


class NotAReply(ChatError):
    """The message is not an answer to a question."""

    code = "not-a-reply"
    user_message = _("Only an answer to a message can be written anew.")


class NotContinuable(ChatError):
    """The reply ended well, or is not the last one, or was withheld."""

    code = "not-continuable"
    user_message = _(
        "This answer can't be continued: only the last one can, if it broke off."
    )


class StaffAnswers(ChatError):
    """A person of the staff answers in this conversation, no Parrot."""

    code = "staff-answers"
    user_message = _("A person answers in this chat now. Please send a message.")


class NonceReused(ChatError):
    """The nonce already stands for a message with another text."""

    code = "nonce-reused"
    user_message = _(
        "This form has already sent another message. Please send yours again."
    )


class ParrotRetired(ChatError):
    """The Parrot of this conversation has retired."""

    code = "parrot-retired"
    user_message = _("This Parrot has retired. Please start a new chat.")


class NoParrot(ChatError):
    """The page names a Parrot that does not exist or has retired."""

    code = "no-parrot"
    user_message = _("This chat is not available at the moment.")


class TooManyMessages(ChatError):
    """More messages in a minute than MESSAGES_PER_MINUTE."""

    code = "too-many-messages"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many messages; the next one in {seconds} s.")
        text = ngettext_lazy(
            "That was a lot of messages. Please send the next one in {seconds} second.",
            "That was a lot of messages. Please send the next one in {seconds} seconds.",
            seconds,
        )
        self.user_message = format_lazy(text, seconds=seconds)


class TooManyReplies(ChatError):
    """
    More replies run at once than MAX_RUNNING_REPLIES.

    ``seconds`` is how long the first of them may take at the most, where that is
    known.
    """

    code = "too-many-replies"
    user_message: str | Promise = _(
        "Answers are still being written in your other chats. "
        "Please try again when one of them has ended."
    )

    def __init__(self, seconds: int | None = None) -> None:
        super().__init__()
        if seconds is None:
            return
        minutes = -(-seconds // 60)
        text = ngettext_lazy(
            "Answers are still being written in your other chats. Please try again "
            "when one of them has ended: in {minutes} minute at the latest.",
            "Answers are still being written in your other chats. Please try again "
            "when one of them has ended: in {minutes} minutes at the latest.",
            minutes,
        )
        self.user_message = format_lazy(text, minutes=minutes)


class TooManySockets(ChatError):
    """More sockets of one person are open at once than MAX_SOCKETS."""

    code = "too-many-sockets"
    user_message = _(
        "You have this site's chats open in too many pages. "
        "Please close one of them, then reload this page."
    )


class PageExpired(ChatError):
    """The token of a page is too old, or was not made here."""

    code = "page-expired"
    user_message = _("This page has grown too old to start a chat. Please reload it.")


class MessageGone(ChatError):
    """The message that was meant is not in this conversation."""

    code = "message-gone"
    user_message = _("That message is not there any more. Please reload the page.")


class BadFrame(ChatError):
    """A frame of the socket is not one that the page would send."""

    code = "bad-frame"
    user_message = _("The page sent something that could not be read.")


class TooManyFrames(ChatError):
    """A socket sends faster than any page does."""

    code = "too-many-frames"
    user_message = _(
        "This page has sent too much at once. Please wait a minute and reload it."
    )


class AccessDenied(PollyError):
    """Permission was asked and not given. Do not raise directly."""


class SignInRequired(AccessDenied):
    """Nobody is signed in, and the site asks for an account."""

    code = "sign-in-required"
    user_message = _("Please sign in to chat.")


class NotFound(AccessDenied):
    """The thing does not exist, or is not this person's: both look the same."""

    code = "not-found"
    user_message = _("This conversation was not found.")


class NotAllowed(AccessDenied):
    """The person may see the thing, but not do this with it."""

    code = "not-allowed"
    user_message = _("You are not allowed to do this.")


class Withheld(PollyError):
    """A hook of the site let nothing more of the answer through."""

    code = "withheld"
    user_message = _("This answer was withheld by the rules of this site.")


def user_message_for(code: str) -> str:
    """Return the sentence of the exception with this code, or a general one."""
    kinds = [PollyError]
    for kind in kinds:
        if kind.code == code:
            return str(kind.user_message)
        kinds.extend(kind.__subclasses__())
    return str(PollyError.user_message)
