"""
Memory of a web process that only follows, against the same site without polly_htmx.

Replies run on a worker, events go through Redis, and rows lie in a file. Each site shows
a hundred pages to somebody who is signed in. Then ours follows answers, and the bare one
has a socket of its own that hears Redis, for Redis' client costs any site the same; the
last row counts it as ours.

Run it with: python benchmarks/follower_memory.py [pages]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from tests.live import Site
    from tests.programs import Program
    from tests.rows import Person

PAGES = 100
ANSWERS = 5
TARGET = 15
MB = 1_000_000
BARE = {"DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings"}
MARKS = ("tiktoken", "tokenizers")
"""Libraries that litellm brings into a process as files of their own."""


async def main(pages: int) -> None:
    """Start the sites, use them, and print what they hold."""
    from tests.live import Site, Worker  # noqa: PLC0415 - after the path
    from tests.rows import SqliteRows  # noqa: PLC0415 - after the path
    from tests.services import redis_server  # noqa: PLC0415 - after the path

    polly = {"DEFAULT_MODEL": "DUMMY", "REPLIES": "worker"}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="polly-bench-"))
        rows = SqliteRows(str(Path(folder, "db.sqlite3")))
        rows.migrate()
        person = rows.person(ANSWERS, "DUMMY")
        layer = stack.enter_context(redis_server()).layer
        given: dict[str, Any] = {"polly": polly, "rows": rows, "layer": layer}
        given["is_fork"] = False  # Forks share memory.
        worker = stack.enter_context(Worker(**given))
        ours = stack.enter_context(Site(**given))
        application = "benchmarks.bare.asgi:application"
        bare = stack.enter_context(Site(**given, application=application, extras=BARE))
        show(f"{bare.url}/page/", person, pages)
        show(f"{ours.url}/polly/c/{person.conversations[0]}/", person, pages)
        print(f"{'memory of a process, MB':<32}{'without':>9}{'with':>9}{'more':>9}")
        alone = bare.rss()
        row(f"both after {pages} pages", alone, ours.rss())
        await listen(bare)
        await follow(ours, person)
        row("and both with sockets on Redis", bare.rss(), ours.rss())
        row("ours with them, the other not", alone, ours.rss())
        print(f"target: at most {TARGET} MB more where both do the same")
        for name, process in {"it follows": ours, "it writes": worker}.items():
            loaded = "has" if has_litellm(process) else "has not"
            print(f"where {name} the process {loaded} loaded litellm")
    print("target: only where it writes")


async def listen(site: Site) -> None:
    """Have the bare site hear something of Redis."""
    async with connect(site.url.replace("http", "ws", 1), proxy=None) as socket:
        await socket.send("Hello")
        assert await socket.recv() == "Hello"


async def follow(site: Site, person: Person) -> None:
    """Follow an answer in each of somebody's conversations."""
    from tests.line import Line  # noqa: PLC0415 - after the path

    for chat in person.conversations:
        async with Line(site, chat, person.cookie) as line:
            await line.send("Hello")
            await line.until_settled()
            await line.assert_equals_fresh()


def show(url: str, person: Person, pages: int) -> None:
    """Load a page many times."""
    headers = {"Cookie": person.cookie}
    with httpx.Client(trust_env=False, headers=headers, timeout=60) as client:
        for _page in range(pages):
            assert client.get(url).status_code == httpx.codes.OK


def row(name: str, bare: int, ours: int) -> None:
    """Print what both sites hold, and the difference."""
    figures = (bare / MB, ours / MB, (ours - bare) / MB)
    print(f"{name:<32}" + "".join(f"{figure:>9.1f}" for figure in figures))


def has_litellm(process: Program) -> bool:
    """Tell by the files that a process has mapped whether it has loaded litellm."""
    mapped = Path(f"/proc/{process.running.pid}/maps").read_text()
    return any(mark in mapped for mark in MARKS)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAGES))
