"""Figures: one function each, from a field to rows of a table."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.streaming.field import WAYS, Field, Run, Server, percentile
from benchmarks.streaming.texts import Asked

FLOORS = ("F1", "F2")
OWN = ("litellm", "scripted")
ALL = tuple(WAYS)
MB = 1_000_000


@dataclass(kw_only=True)
class Table:
    """What a figure prints."""

    title: str
    columns: list[str]
    target: str
    rows: dict[str, list[float | None]] = field(default_factory=dict)


def lag(ground: Field, *, quick: bool) -> Table:
    """20 replies at 50 tokens a second."""
    target = "CPU at most 0.5 of F1, aiming at 1.4 of F2; lag under 100 ms at p95"
    return _crowd(ground, 20, Asked(tokens=150 if quick else 750, rate=50), target)


def many(ground: Field, *, quick: bool) -> Table:
    """100 replies at 30 tokens a second."""
    target = "lag under 150 ms at p95, no end over 500 ms late"
    return _crowd(ground, 100, Asked(tokens=100 if quick else 300, rate=30), target)


def _crowd(ground: Field, count: int, asked: Asked, target: str) -> Table:
    table = Table(
        title=f"{count} replies at {asked.rate:g} tokens/s, {asked.tokens} tokens each",
        columns=["CPU s/1k", "of F1", "of F2", "p50 ms", "p95 ms", "max ms", "end ms"],
        target=target,
    )
    for name in ALL:
        server = ground.server(name)
        run = ground.run(server, server.asking(count, asked))
        cost = run.cpu / (count * asked.tokens) * 1_000
        lags = run.lags
        shares = [1_000 * percentile(lags, share) for share in (0.5, 0.95, 1)]
        end = 1_000 * max(tab["last"] for tab in run.tabs)
        table.rows[name] = [cost, None, None, *shares, end]
    for row in table.rows.values():
        row[1:3] = [(row[0] or 0) / (table.rows[floor][0] or 1) for floor in FLOORS]
    return table


def first(ground: Field, *, quick: bool) -> Table:
    """The first token's overhead with one reply at a time, warm."""
    table = Table(
        title="First token: ms over the provider's own, one reply at a time, warm",
        columns=["median", "least", "p95"],
        target="under 10 ms at the median",
    )
    asked = Asked(tokens=5, first=0.1, rate=50)
    times: dict[str, list[float]] = {name: [] for name in ALL}
    # In turn, so that a busy moment of the machine hits each.
    for _round in range(5 if quick else 20):
        for name in ALL:
            server = ground.server(name)
            run = ground.run(server, server.asking(1, asked))
            times[name].append(1_000 * run.tabs[0]["first"])
    for name, found in times.items():
        found.sort()
        table.rows[name] = [statistics.median(found), found[0], percentile(found, 0.95)]
    return table


def full(ground: Field, *, quick: bool) -> Table:
    """A long answer as fast as the provider sends it, and who waits meanwhile."""
    tokens = 2_000 if quick else 8_000
    table = Table(
        title=f"{tokens} tokens as fast as can be, beside a reply at 50 tokens/s",
        columns=["s", "of F2", "ping ms", "other ms", "alone ms", "CPU s"],
        target="within 3 times F2's time; ping, and other over alone, at most 50 ms",
    )
    for name in ALL:
        server = ground.server(name)
        fast = server.asking(1, Asked(tokens=tokens, kind="prose"), after=0.5)
        beside = Asked(tokens=200, rate=50)
        # Text waits for its frame (FLUSH_INTERVAL) whoever else is there.
        alone = ground.run(server, server.asking(1, beside)).lags[-1]
        other = server.asking(1, beside)
        pinged = server.lines(1, pings=True)
        run = ground.run(server, [*fast, *other, *pinged])
        ping = 1_000 * max(run.tabs[2]["pings"])
        waits = [1_000 * max(run.tabs[1]["lags"]), 1_000 * alone]
        table.rows[name] = [run.tabs[0]["seconds"], None, ping, *waits, run.cpu]
    for row in table.rows.values():
        row[1] = (row[0] or 0) / (table.rows["F2"][0] or 1)
    return table


def sizes(ground: Field, *, quick: bool) -> Table:
    """Bytes received per character of answer, for all kinds of text."""
    table = Table(
        title="Bytes received per character of answer",
        columns=["F2", "100 tok/s", "at once", "coloured", "at once"],
        target="at most 12 at 100 tokens/s, 3 at full speed, highlighting apart",
    )
    raw, own = ground.server("F2"), ground.server("scripted")
    tokens, fast = (300, 2_000) if quick else (2_000, 8_000)
    kinds = ("prose", "list", "table", "paragraph", "code")
    paced = [Asked(tokens=tokens, kind=kind, rate=100) for kind in kinds]
    jobs = [own.asking(1, asked)[0] for asked in paced]
    slow = ground.run(own, jobs)
    for asked, tab in zip(paced, slow.tabs, strict=True):
        at_once = Asked(tokens=fast, kind=asked.kind)
        floor = ground.run(raw, raw.asking(1, at_once)).tabs[0]
        quickly = ground.run(own, own.asking(1, at_once)).tabs[0]
        table.rows[asked.kind] = [
            floor["bytes"] / at_once.characters,
            (tab["bytes"] - tab["coloured"]) / asked.characters,
            (quickly["bytes"] - quickly["coloured"]) / at_once.characters,
            tab["coloured"] / asked.characters,
            quickly["coloured"] / at_once.characters,
        ]
    return table


def flat(ground: Field, *, quick: bool) -> Table:
    """
    Cost a token for answers of all lengths.

    The ends of a turn (the message, the buttons below the answer) take the same bytes
    whatever comes between. So there is too what each token takes beyond a shorter answer.
    """
    lengths = [1_000, 4_000] if quick else [1_000, 8_000, 32_000]
    server = ground.server("scripted")
    paced = [Asked(tokens=tokens, kind="prose", rate=100) for tokens in lengths]
    slow = ground.run(server, [server.asking(1, asked)[0] for asked in paced])
    quick_bytes, costs = [], []
    for tokens in lengths:
        asked = Asked(tokens=tokens, kind="prose", rate=1_000)
        # The shorter, the more often: the clock of a process ticks each 10 ms.
        rounds = max(1, 8_000 // tokens)
        runs = [ground.run(server, server.asking(1, asked)) for _ in range(rounds)]
        quick_bytes.append(statistics.mean(run.tabs[0]["bytes"] for run in runs))
        costs.append(1_000 * statistics.mean(run.cpu for run in runs))
    columns = [
        _per_token(lengths, values)
        for values in ([tab["bytes"] for tab in slow.tabs], quick_bytes, costs)
    ]
    return Table(
        title="Bytes at 100 and at 1,000 tokens/s, CPU ms: by length of the answer, prose",
        columns=["a token", "of least", "a further"] * 3,
        target="bytes and CPU flat within 20 %",
        rows={
            f"{tokens:,} tokens": [*slowly, *quickly, *cost]
            for tokens, slowly, quickly, cost in zip(lengths, *columns, strict=True)
        },
    )


def _per_token(lengths: list[int], totals: list[float]) -> list[list[float | None]]:
    """Return what a token takes, how it compares, and one beyond the shorter answer."""
    each = [total / tokens for tokens, total in zip(lengths, totals, strict=True)]
    further: list[float | None] = [None]
    for (few, before), (more, after) in pairwise(zip(lengths, totals, strict=True)):
        further.append((after - before) / (more - few))
    return [
        [value, value / min(each), slope]
        for value, slope in zip(each, further, strict=True)
    ]


def fan(ground: Field, *, quick: bool) -> Table:
    """One reply, followed by one socket and by many."""
    sockets = 50
    table = Table(
        title=f"One reply at 50 tokens/s followed by {sockets} sockets",
        columns=["1, CPU s", f"{sockets}, CPU s", "ratio", "p95 ms"],
        target="under 3 times one follower's CPU",
    )
    asked = Asked(tokens=200 if quick else 600, rate=50)
    for name in OWN:
        server = ground.server(name)
        alone = ground.run(server, server.asking(1, asked))
        crowd = _followed(ground, server, asked, sockets)
        lags = 1_000 * percentile(crowd.lags, 0.95)
        table.rows[name] = [alone.cpu, crowd.cpu, crowd.cpu / alone.cpu, lags]
    return table


def _followed(ground: Field, server: Server, asked: Asked, sockets: int) -> Run:
    (line,) = server.asking(1, asked)
    follower = {key: line[key] for key in ("url", "origin", "cookie")}
    followers = [{**follower, "expects": True} for _ in range(sockets - 1)]
    return ground.run(server, [line, *followers])


def idle(ground: Field, *, quick: bool) -> Table:
    """Memory of sockets that only stay open."""
    sockets = 100 if quick else 500
    table = Table(
        title=f"{sockets} idle sockets, beside 100 that were open before",
        columns=["kB each", "of F1", "MB before"],
        target="within 1.3 times F1's memory a socket",
    )
    for name in ("F1", *OWN):
        server = ground.server(name)
        # The first ones also pay for what all of them share.
        with ground.opened(server, server.lines(100)):
            before = server.site.rss()
            with ground.opened(server, server.lines(sockets)):
                grown = server.site.rss() - before
        table.rows[name] = [grown / sockets / 1_000, None, before / MB]
    for row in table.rows.values():
        row[1] = (row[0] or 0) / (table.rows["F1"][0] or 1)
    return table


FIGURES: dict[str, Callable[..., Table]] = {
    # Memory first: what other runs leave behind would hide its growth.
    "idle": idle,
    "lag": lag,
    "many": many,
    "first": first,
    "full": full,
    "bytes": sizes,
    "flat": flat,
    "fan": fan,
}
