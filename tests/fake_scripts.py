"""What the fake provider can do: one script a fault, by the name of the model."""

from __future__ import annotations

import asyncio
import json

from tests.fake_provider import Exchange, Script

SCRIPTS: dict[str, Script] = {}
LARGE = 8_000_000
"""Characters in the single chunk of the script "large"."""


def script(function: Script) -> Script:
    """Register a script under its own name, with dashes."""
    SCRIPTS[function.__name__.replace("_", "-")] = function
    return function


@script
async def good(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.delta(finish="stop")
    await exchange.usage()
    await exchange.done()


@script
async def finish_on_content(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.delta(role="assistant", content="All at once", finish="stop")
    await exchange.done()


@script
async def no_usage(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def hang(exchange: Exchange) -> None:
    await exchange.until_closed()


@script
async def silence(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.until_closed()


@script
async def stall(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.until_closed()


@script
async def pings(exchange: Exchange) -> None:
    await exchange.head()
    while not exchange.closed.is_set():
        await exchange.raw(b": ping\n\n")
        await asyncio.sleep(0.05)


@script
async def drip(exchange: Exchange) -> None:
    await exchange.head()
    while not exchange.closed.is_set():
        await exchange.delta(content=f"{exchange.sent} ")
        exchange.sent += 1
        await asyncio.sleep(0.02)


@script
async def blanks(exchange: Exchange) -> None:
    await exchange.head()
    while not exchange.closed.is_set():
        await exchange.delta(content="")
        await asyncio.sleep(0.02)


@script
async def unauthorised(exchange: Exchange) -> None:
    key = exchange.headers.get("authorization", "")
    await exchange.answer(
        "401 Unauthorized",
        f'{{"error": {{"message": "Wrong key: {key}", "code": "invalid_api_key"}}}}',
        content_type="application/json",
        x_echo=key,
    )


@script
async def forbidden(exchange: Exchange) -> None:
    key = exchange.headers.get("authorization", "")
    await exchange.answer("403 Forbidden", f"Not you, {key}", content_type="text/plain")


@script
async def rate_limited(exchange: Exchange) -> None:
    body = '{"error": {"message": "Slow down", "code": "rate_limit"}}'
    kind = "application/json"
    await exchange.answer(
        "429 Too Many Requests", body, content_type=kind, retry_after="7"
    )


@script
async def too_long(exchange: Exchange) -> None:
    body = (
        '{"error": {"message": "This model\'s maximum context length is 10 tokens.",'
        ' "type": "invalid_request_error", "code": "context_length_exceeded"}}'
    )
    await exchange.answer("400 Bad Request", body, content_type="application/json")


@script
async def unknown_model(exchange: Exchange) -> None:
    body = '{"error": {"message": "No such model", "code": "model_not_found"}}'
    await exchange.answer("404 Not Found", body, content_type="application/json")


@script
async def broken_inside(exchange: Exchange) -> None:
    page = "<html><script>alert(1)</script>Oops</html>"
    await exchange.answer("500 Internal Server Error", page, content_type="text/html")


@script
async def html200(exchange: Exchange) -> None:
    page = "<html><script>alert(1)</script>Please sign in to the WLAN</html>"
    await exchange.answer("200 OK", page, content_type="text/html")


@script
async def json200(exchange: Exchange) -> None:
    await exchange.answer("200 OK", '{"ok": true}', content_type="application/json")


@script
async def empty(exchange: Exchange) -> None:
    await exchange.head()


@script
async def done_only(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.done()


@script
async def stop_only(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.delta(role="assistant", content="")
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def white(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.delta(content=" \n")
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def cut(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()


@script
async def done_without_reason(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.done()


@script
async def reset(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await asyncio.sleep(0.05)
    exchange.reset()


@script
async def chunked_cut(exchange: Exchange) -> None:
    await exchange.head(transfer_encoding="chunked")
    event = b'data: {"id": "x", "object": "chat.completion.chunk", "created": 1,'
    event += b' "model": "m", "choices": [{"index": 0, "delta": {"content": "Hello "},'
    event += b' "finish_reason": null}]}\n\n'
    await exchange.raw(f"{len(event):x}\r\n".encode() + event + b"\r\n")
    await exchange.raw(b"400\r\ndata: {")


@script
async def length(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.delta(finish="length")
    await exchange.done()


@script
async def filtered(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.delta(finish="content_filter")
    await exchange.done()


@script
async def error_event(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    key = exchange.headers.get("authorization", "")
    await exchange.data({"error": {"message": f"Overloaded, {key}", "code": 503}})


@script
async def error_event_first(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.data({"error": {"message": "Overloaded", "code": 503}})


@script
async def bad_json_first(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.raw(b'data: {"choices": [\n\n')
    await exchange.done()


@script
async def refused(exchange: Exchange) -> None:
    body = '{"error": {"message": "Images are not for me", "code": "bad_image"}}'
    await exchange.answer("400 Bad Request", body, content_type="application/json")


@script
async def echo(exchange: Exchange) -> None:
    await exchange.head()
    for letter in exchange.body["messages"][-1]["content"]:
        await exchange.delta(content=letter)
        await asyncio.sleep(exchange.provider.pace)
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def bad_json(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.raw(b'data: {"choices": [\n\n')
    await exchange.done()


@script
async def bad_utf8(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.raw(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n')
    await exchange.done()


@script
async def odd_but_legal(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.data(exchange.chunk() | {"choices": []})
    await exchange.delta(role="assistant")
    await exchange.delta(content=None)
    await exchange.delta(content="Fine", shoe_size=43)
    await exchange.data(exchange.chunk(content=".") | {"weather": {"sun": [1]}})
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def strange_text(exchange: Exchange) -> None:
    await exchange.head()
    for piece in ("a\ud800b", "c\u0000d", "\ud83d", "\ude00", "e\udc00"):
        await exchange.delta(content=piece)
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def split_utf8(exchange: Exchange) -> None:
    await exchange.head()
    template = '{"id":"x","object":"chat.completion.chunk","created":1,"model":"m",'
    template += '"choices":[{"index":0,"delta":{"content":"naïve 🦜 日本"},'
    template += '"finish_reason":"stop"}]}'
    for byte in f"data: {template}\n\ndata: [DONE]\n\n".encode():
        await exchange.raw(bytes([byte]))
        await asyncio.sleep(0)


@script
async def large(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.delta(content="x" * LARGE)
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def repeated(exchange: Exchange) -> None:
    await exchange.head()
    for _ in range(250):
        await exchange.delta(content="same ")
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def burst(exchange: Exchange) -> None:
    await exchange.head()
    chunks = [exchange.chunk(content=f"{number} ") for number in range(2_000)]
    lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    await exchange.raw(lines.encode())
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def after_the_end(exchange: Exchange) -> None:
    await good(exchange)
    await exchange.delta(content="too late")
    await exchange.done()


@script
async def thinking(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.delta(role="assistant", reasoning_content="Let me see. ")
    await exchange.delta(reasoning_content="Yes.")
    await exchange.words()
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def thinking_in_line(exchange: Exchange) -> None:
    await exchange.head()
    for piece in ("<th", "ink>\nLet me ", "see. </", "think>", "\n\nHel", "lo"):
        await exchange.delta(content=piece)
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def pondering(exchange: Exchange) -> None:
    """Think at the provider's pace, and then answer."""
    await exchange.head()
    for number in range(exchange.provider.thoughts):
        await exchange.delta(reasoning_content=f"thought{number} ")
        await asyncio.sleep(exchange.provider.pace)
    await exchange.words()
    await exchange.delta(finish="stop")
    await exchange.done()


@script
async def only_thinking(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.delta(reasoning_content="Let me see.")
    await exchange.until_closed()


@script
async def tool(exchange: Exchange) -> None:
    await exchange.head()
    call = {"index": 0, "id": "call_1", "type": "function"}
    name = {"name": "weather", "arguments": ""}
    await exchange.delta(role="assistant", tool_calls=[call | {"function": name}])
    for piece in ('{"ci', 'ty": "', 'Rome"}'):
        part = {"index": 0, "function": {"arguments": piece}}
        await exchange.delta(tool_calls=[part])
    await exchange.delta(finish="tool_calls")
    await exchange.done()


@script
async def redirected(exchange: Exchange) -> None:
    where = f"{exchange.provider.url}/elsewhere"
    await exchange.answer("307 Temporary Redirect", "", location=where)


@script
async def endless_line(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.raw(b"data: ")
    while not exchange.closed.is_set():
        await exchange.raw(b"x" * 1_000_000)


@script
async def endless(exchange: Exchange) -> None:
    await exchange.head()
    while not exchange.closed.is_set():
        await exchange.delta(content="for ever and ever ")


@script
async def told_exactly(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.words()
    await exchange.delta(finish="stop")
    figures: dict[str, object] = {"prompt_tokens": 70, "completion_tokens": 40}
    figures["total_tokens"] = 110
    figures["prompt_tokens_details"] = {"cached_tokens": 50}
    figures["completion_tokens_details"] = {"reasoning_tokens": 30}
    chunk = exchange.chunk() | {"choices": [], "usage": figures}
    await exchange.data(chunk | {"model": "the-one-that-answered"})
    await exchange.done()


@script
async def kept(exchange: Exchange) -> None:
    """Answer so that the connection may be used again."""
    await exchange.head(connection="keep-alive", transfer_encoding="chunked")
    chunks = [exchange.chunk(content="Hi"), exchange.chunk(finish="stop")]
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    data = "".join([*lines, "data: [DONE]\n\n"]).encode()
    await exchange.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await exchange.raw(b"0\r\n\r\n")
    await exchange.until_closed()


def faulty_script(error: object) -> Script:
    """Return a script that says a word and then this error, in the stream."""

    async def fault(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.data({"error": error})

    return fault


def recorded(data: bytes) -> Script:
    """Return a script that sends the body of a stream as it is, in odd pieces."""

    async def replay(exchange: Exchange) -> None:
        await exchange.head()
        for start in range(0, len(data), 97):
            await exchange.raw(data[start : start + 97])
            await asyncio.sleep(0)

    return replay
