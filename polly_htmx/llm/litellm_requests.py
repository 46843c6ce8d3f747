"""
Requests: litellm makes the first one to a model, and we make those that are like it.

Between a question and its request litellm finds provider, address, key, headers and the
parameters that the model takes, and comes to the same each time: it is what asking
costs most of. So what it has sent is kept, without the messages, and sent again with
others. Its rules stay its own, for nothing is known of them here: kept is only a request
that held our messages as they were, and whose answer we read ourselves.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from polly_htmx.llm import litellm_answers
from polly_htmx.llm.deltas import ErrorInStream
from polly_htmx.llm.messages import ChatMessage

if TYPE_CHECKING:
    import httpx

    from polly_htmx.llm.litellm_port import Call
    from polly_htmx.llm.sessions import Session

SENT_BY = "polly_session"
"""Where a response tells which session has asked."""

FRESH = 300
"""Seconds after which litellm is asked again: its settings may have changed."""
MOST = 100
"""Requests that are kept at once."""
MEDDLERS = (
    "input_callback",
    "_async_input_callback",
    "pre_call_rules",
    "post_call_rules",
    "model_alias_map",
)
"""Where litellm keeps what may look at a request, change it or forbid it."""
TIMEOUTS = ("ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout")
"""Of httpx, by name: who imports this may have no use for it."""
OF_ONE_REQUEST = ("content-length", "host", "idempotency-key")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was sent, but for the messages."""

    session: Session
    method: str
    url: httpx.URL
    headers: Sequence[tuple[str, str]] = field(repr=False)
    extensions: Mapping[str, Any]
    body: Mapping[str, Any]
    until: float
    """When litellm is to be asked again, on the monotonic clock."""

    def request(self, messages: list[ChatMessage]) -> httpx.Request:
        """Return the same with other messages."""
        body = {**self.body, "messages": messages}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return self.session.build_request(
            self.method,
            self.url,
            headers=list(self.headers),
            content=text.encode(),
            extensions=dict(self.extensions),
        )


_kept: dict[tuple[object, ...], Kept] = {}


async def ask(litellm: Any, call: Call) -> httpx.Response | None:
    """Ask as litellm did before; return None where it must, raise what it would."""
    key = _key(litellm, call)
    kept = _kept.get(key) if key else None
    if key is None or kept is None or kept.until < time.monotonic():
        return None
    try:
        response = await kept.session.send(kept.request(call.messages), stream=True)
        if not response.is_success:
            await _refuse(litellm, response)
    except Exception as exc:
        # Maybe it was the request's fault: the next one is litellm's again.
        _kept.pop(key, None)
        if type(exc).__name__ in TIMEOUTS:
            raise litellm.Timeout("", model=call.model, llm_provider="openai") from exc
        raise
    return response


def keep(litellm: Any, call: Call, response: httpx.Response | None) -> None:
    """Keep what litellm has sent, if it may be sent again with other messages."""
    key = _key(litellm, call)
    if key is None or response is None or SENT_BY not in response.extensions:
        return
    request = response.request
    body = json.loads(request.content)
    if body.get("messages") != call.messages:
        return
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[key] = Kept(
        session=response.extensions[SENT_BY],
        method=request.method,
        url=request.url,
        headers=[
            (name, value)
            for name, value in request.headers.multi_items()
            if name not in OF_ONE_REQUEST
        ],
        extensions={"timeout": request.extensions.get("timeout", {})},
        body=body | {"messages": []},
        until=time.monotonic() + FRESH,
    )


def _key(litellm: Any, call: Call) -> tuple[object, ...] | None:
    """Return what a request depends on but for its messages; None if on them as well."""
    if litellm_answers.is_heard(litellm) or not _is_plain(call.messages):
        return None
    if any(litellm_answers.anybody(litellm, name) for name in MEDDLERS):
        return None
    if getattr(litellm, "max_budget", None):
        return None
    if not (call.api_base or call.api_key):
        return None  # The key is litellm's to find, each time anew.
    try:
        params = json.dumps(call.params, sort_keys=True)
    except (TypeError, ValueError):
        return None
    system = call.messages[0]["role"] == "system"
    where = (call.model, call.api_base, call.api_key, call.loopback)
    return (*where, call.timeout, params, system)


def _is_plain(messages: Sequence[ChatMessage]) -> bool:
    """Tell whether these are texts, by turns: all others litellm may have to change."""
    turns = messages[1:] if messages[0]["role"] == "system" else messages
    roles = [message["role"] for message in turns]
    return (
        len(turns) % 2 == 1
        and set(roles[::2]) == {"user"}
        and set(roles[1::2]) <= {"assistant"}
        and all(
            len(message) == 2  # noqa: PLR2004  role and content
            and isinstance(message["content"], str)
            and message["content"]
            for message in messages
        )
    )


async def _refuse(litellm: Any, response: httpx.Response) -> None:
    """Raise what litellm makes of a status that is no success."""
    try:
        text = (await response.aread()).decode(errors="replace")
    finally:
        await response.aclose()
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    error = said.get("error", said) if isinstance(said, dict) else said
    raise litellm.llms.openai.common_utils.OpenAIError(
        status_code=response.status_code,
        message=f"Error code: {response.status_code} - {said}",
        headers=response.headers,
        body=error,
    ) from ErrorInStream(error)
