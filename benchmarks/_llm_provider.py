"""
A mock of two hosted models: OpenAI's stream and Anthropic's, a token a chunk.

    python -m benchmarks._llm_provider PORT

The question is "TOKENS RATE": how many words to say, and how many a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
WORD = "parrot "


async def main(port: int) -> None:
    """Serve until the process is killed."""
    server = await asyncio.start_server(_connection, "127.0.0.1", port)
    await server.serve_forever()


async def _connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            if not head.startswith("post"):
                writer.write(NOT_FOUND)
                continue
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            await _answer(writer, body, anthropic="/messages" in head)
    writer.close()


async def _answer(
    writer: asyncio.StreamWriter, body: dict[str, Any], *, anthropic: bool
) -> None:
    tokens, rate = map(int, _question(body).split())
    begin, word, end = _anthropic(tokens) if anthropic else _openai(tokens)
    writer.write(HEAD + begin)
    start = time.monotonic()
    for number in range(tokens):
        if (wait := start + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        writer.write(word)
        await writer.drain()
    writer.write(end + b"0\r\n\r\n")
    await writer.drain()


def _question(body: dict[str, Any]) -> str:
    content: Any = body["messages"][-1]["content"]
    text: str = content if isinstance(content, str) else content[0]["text"]
    return text


def _openai(tokens: int) -> tuple[bytes, ...]:
    usage = {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": tokens}
    begin = _event(_chunk({"role": "assistant", "content": ""}))
    end = _event(_chunk({}, "stop")) + _event(
        {**_chunk({}), "choices": [], "usage": usage}
    )
    return begin, _event(_chunk({"content": WORD})), end + _framed(b"data: [DONE]\n\n")


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-mock",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "mock",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _anthropic(tokens: int) -> tuple[bytes, ...]:
    message: dict[str, Any] = {"id": "msg_mock", "type": "message", "role": "assistant"}
    message |= {"content": [], "model": "claude-haiku-4-5", "stop_reason": None}
    message |= {"usage": {"input_tokens": 9, "output_tokens": 1}}
    words = {"type": "text_delta", "text": WORD}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    block = {"type": "text", "text": ""}
    return (
        b"".join(
            _named(
                {"type": "message_start", "message": message},
                {"type": "content_block_start", "index": 0, "content_block": block},
            )
        ),
        b"".join(_named({"type": "content_block_delta", "index": 0, "delta": words})),
        b"".join(
            _named(
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": stop,
                    "usage": {"output_tokens": tokens},
                },
                {"type": "message_stop"},
            )
        ),
    )


def _named(*events: dict[str, Any]) -> Iterator[bytes]:
    for data in events:
        yield _framed(f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode())


def _event(data: dict[str, Any]) -> bytes:
    return _framed(f"data: {json.dumps(data)}\n\n".encode())


def _framed(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
