"""Titles: a model names a chat after its first exchange, beside and after the reply."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence

from polly_htmx.chat import home, lists
from polly_htmx.chat.allowances import hold_for_title, is_capped, settle_title
from polly_htmx.chat.calls import title_calls
from polly_htmx.chat.claims import Claim
from polly_htmx.chat.database import in_database
from polly_htmx.chat.history import GO_ON
from polly_htmx.chat.lines import plain_line
from polly_htmx.conf import conf
from polly_htmx.exceptions import PollyError
from polly_htmx.hooks import AnswerGate
from polly_htmx.llm import LLMConnect
from polly_htmx.llm.attempts import Attempt
from polly_htmx.models import Message, ModelCall, SmartConversation
from polly_htmx.models.exceptions import DayUsedUp

logger = logging.getLogger(__name__)

# For the model, so in English.
PROMPT = (
    "You name conversations. Answer with a title of two to six words for the "
    "conversation that you are shown, in the language of the person in it. Write the "
    "title alone: no quotes, no full stop, no explanation. Do not answer the person."
)
SHOWN = 1_000
"""Characters of question and answer that the model sees."""
MAX_TOKENS = 80
SECONDS = 60.0
"""After so long nobody waits for a title."""
MAX_CHARS, MAX_WORDS = 80, 12
"""A longer one is no title but an answer, and the first words do better."""
_MARKS = "\"'`´“”„‟‘’‚«»‹›「」『』*_#>~. \t"  # noqa: RUF001  (quotes of many languages)
_LABEL = re.compile(
    r"^[\W_]*(?:title|titel|titre|título|titolo)[*_\s]*:\s*", re.IGNORECASE
)
_CHATTER = re.compile(
    r"^(?:sure|certainly|of course|here(?:'s| is| are)|i(?:'m| am| can)|as an ai|<)",
    re.IGNORECASE,
)


def title_soon(claimed: Claim) -> None:
    """
    See that a chat gets its title, if this was its first answer and it has none.

    Never waits and never raises: the reply has ended, and does without. Where no loop
    serves sockets (a shell, a command) nothing is asked, and the first words stand.
    """
    reply, prompt = claimed.reply, claimed.prompt
    conversation = reply.conversation
    is_first = not prompt.history and prompt.text != GO_ON
    has_answer = reply.status == Message.Status.COMPLETE and reply.content.strip()
    if not (conf.TITLES and is_first and has_answer) or not _is_free(conversation):
        return
    home.spawn(lambda: _title(claimed))


async def _title(claimed: Claim) -> None:
    reply, attempts = claimed.reply, list[Attempt]()
    held: ModelCall | None = None
    try:
        if is_capped(reply):
            held = await in_database(_hold)(claimed)
        title = await _ask(claimed, attempts)
        await in_database(_save)(reply, title, attempts, held)
    except DayUsedUp:
        pass  # The first words stand.
    except Exception as exc:  # noqa: BLE001  (a chat goes on without a title)
        # Only the kind: a foreign text may hold anything.
        logger.warning(
            "no title conversation=%s fault=%s",
            reply.conversation.external_id,
            type(exc).__name__,
        )
    except BaseException:
        # The process ends, and the call has cost something all the same.
        await home.to_the_end(in_database(_save)(reply, "", attempts, held))
        raise


async def _ask(claimed: Claim, attempts: list[Attempt]) -> str:
    """Return what the model says, "" for what is no title; fill in what that took."""
    model = _model(claimed)
    connect = LLMConnect(model, system_prompt=PROMPT, max_tokens=MAX_TOKENS)
    invoker = connect.invoker()
    try:
        async with asyncio.timeout(SECONDS):
            said = await invoker.asend_message(_question(claimed))
    except (PollyError, TimeoutError) as exc:
        fault = getattr(exc, "code", "too late")
        logger.info("no title from model=%s error=%s", model, fault)
        return ""
    finally:
        attempts += invoker.attempts
    # The site's hooks see it as a part of the answer: it is shown as one is.
    gate = AnswerGate(claimed.reply)
    try:
        return usable(await gate.add(said.text) + await gate.end())
    except PollyError:
        return ""


def _model(claimed: Claim) -> str:
    return claimed.prompt.model if conf.TITLES is True else str(conf.TITLES)


def _question(claimed: Claim) -> str:
    question, answer = claimed.prompt.text[:SHOWN], claimed.reply.content[:SHOWN]
    return f"The person wrote:\n{question}\n\nThe answer:\n{answer}\n\nTitle:"


def _hold(claimed: Claim) -> ModelCall | None:
    told = [
        {"role": "system", "content": PROMPT},
        {"role": "user", "content": _question(claimed)},
    ]
    return hold_for_title(claimed.reply, _model(claimed), told, MAX_TOKENS)


def usable(text: str) -> str:
    """Return what a model said as a title, "" where it is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        return ""
    title = _LABEL.sub("", plain_line(lines[0])).strip(_MARKS)
    too_long = len(title) > MAX_CHARS or len(title.split()) > MAX_WORDS
    has_word = any(each.isalnum() for each in title)
    return "" if too_long or not has_word or _CHATTER.match(title) else title


def _is_free(conversation: SmartConversation) -> bool:
    return not conversation.title and not conversation.titled_by


def _save(
    reply: Message, title: str, attempts: Sequence[Attempt], held: ModelCall | None
) -> None:
    """Save a title, unless somebody has given one meanwhile, and what it took."""
    conversation = reply.conversation
    settle_title(title_calls(reply, attempts), held)
    if not title:
        return
    by = SmartConversation.TitledBy
    own = SmartConversation.objects.alive().filter(pk=conversation.pk)
    if own.filter(title="", titled_by=by.NOBODY).update(
        title=title, titled_by=by.MODEL
    ):
        lists.tell_owner(conversation)
