"""Replies: the frames of an answer from its first words to its end."""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from typing import Any

from polly_htmx.chat.events import ReplyGrew
from polly_htmx.fragments.rendering import Reader, frame
from polly_htmx.fragments.thoughts import NO_PRELUDE, Prelude, thought_grew
from polly_htmx.markdown import vouched
from polly_htmx.markdown.parts import END, split, with_tail
from polly_htmx.models import Message, SmartConversation, short

KEPT_FRAMES = 64
"""Growth frames kept for the other followers in this process: they come at once."""
GROWN = {
    "item": ("<ul {}>", "</ul>"),
    "row": ("<table {}><tbody>", "</tbody></table>"),
    "line": ("<code {}>", "</code>"),
    "sentence": ("<p {}>", "</p>"),
}
"""What finished parts of an open block travel in, which the page does not keep."""
OPEN = {"item": "li", "line": "span", "sentence": "span"}
"""The element on the page that holds the part still being written; of a table rows are
shown whole."""


def reply_streaming(
    conversation: SmartConversation,
    reply: Message,
    *,
    closed: str,
    tail: str,
    prelude: Prelude = NO_PRELUDE,
    reader: Reader = "owner",
) -> str:
    """Return the frame that shows a running reply whole, ready to grow."""
    reply = copy(reply)
    reply.status = Message.Status.STREAMING
    html = vouched(with_tail(closed, _tail(str(reply.external_id), tail)))
    return frame(
        "begun" if prelude.is_there and not prelude.thoughts else "article",
        conversation,
        message=reply,
        html=html,
        thoughts=vouched(prelude.thoughts),
        phase=prelude.phase,
        reader=reader,
    )


@lru_cache(maxsize=KEPT_FRAMES)
def reply_grew(event: ReplyGrew) -> str:
    """
    Return the frame by which a running reply grows.

    The most frequent frame by far, and the same for everybody. So it is rendered
    once for all followers, and put together here: a template would cost more than
    all that is in it.
    """
    closed = thought_grew(event.reply, event.thought)
    first, parts = split(event.closed)
    place = f"polly-tail-{short(event.reply)}"
    closed += _before(place, ("<div {}>", "</div>"), first)
    if parts:
        return closed + _moved(event.reply, parts, event.tail or "")
    if event.tail is not None:
        order = ' hx-swap-oob="true"'
        return closed + _tail(event.reply, event.tail, order)
    place = f"polly-open-{short(event.reply)}"
    if event.grown:
        closed += _before(place, GROWN[event.kind], event.grown)
    if event.open is not None:
        tag = OPEN[event.kind]
        closed += f'<{tag} id="{place}" hx-swap-oob="innerHTML">{event.open}</{tag}>'
    return closed


def reply_closed(
    conversation: SmartConversation,
    reply: Message,
    *,
    closed: str,
    was_thinking: bool = False,
    reader: Reader = "owner",
) -> str:
    """
    Return the frame that ends a reply on a page that has seen all of it before.

    Nothing is sent twice: the last pieces, and the foot, from which the page's
    script takes the article's status.
    """
    first, parts = split(closed)
    return frame(
        "closed",
        conversation,
        message=reply,
        html=vouched(first),
        parts=vouched(parts),
        was_thinking=was_thinking,
        reader=reader,
    )


def reply_ended(
    conversation: SmartConversation,
    reply: Message,
    *,
    html: str | None,
    reader: Reader = "owner",
) -> str:
    """
    Return the frame that shows an ended reply whole.

    ``html`` is what a runner rendered of its text; None renders the row's.
    """
    context: dict[str, Any] = {"message": reply}
    if html is not None:
        context["html"] = vouched(html)
    return frame("ended", conversation, reader=reader, **context)


def _tail(reply: str, html: str, order: str = "") -> str:
    return f'<div class="polly-tail" id="polly-tail-{short(reply)}"{order}>{html}</div>'


def _moved(reply: str, parts: str, tail: str) -> str:
    """Return the order to add parts, the last of which takes the tail."""
    gone = f'<div id="polly-tail-{short(reply)}" hx-swap-oob="delete"></div>'
    parts = parts.removesuffix(END) + _tail(reply, tail) + END
    order = f'hx-swap-oob="beforeend:#polly-content-{reply}"'
    return f"{gone}<div {order}>{parts}</div>"


def _before(place: str, wrapping: tuple[str, str], html: str) -> str:
    """Return an order to put some HTML before an element; "" for no HTML."""
    if not html:
        return ""
    start, end = wrapping
    order = f'hx-swap-oob="beforebegin:#{place}"'
    return f"{start.format(order)}{html}{end}"
