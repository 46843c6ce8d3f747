"""
What following long answers costs a browser, at a quarter of this computer's speed.

Counts the tasks of over 50 ms while an answer streams at 100 tokens/s, and tells what
is left when it is over: the heap after the last answer against that after the first
(compiled code and caches come with the first), and the nodes against those of the same
page loaded afresh, for more would have been left behind. Ends with 1 where a target is
missed.

Run it with: python benchmarks/browser.py [--quick] [--tokens 8000] [--htmx 2] [--answers 3]
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import CDPSession, Page, expect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.visit.site import Visit, visited_site
from scripts.screenshots import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKENS, QUICK_TOKENS = 8_000, 3_000
ANSWERS = 3
PACE = 0.01
"""Seconds between two tokens."""
SLOWER = 4
LONG = 50
"""Milliseconds: a longer task is felt."""
HEAP_TARGET = 1.1
"""Times of the first answer's heap that the last one's may be."""
NODES_TARGET = 1.1
"""Times of the nodes of a page loaded afresh that the page that followed may hold."""
WAIT = 400_000
"""Milliseconds that an answer may take on a slow computer."""
OBSERVE = """
window.pollyTasks = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    pollyTasks.push([startTime, duration]);
  }
}).observe({ type: "longtask", buffered: true });
"""
TASKS = "since => pollyTasks.filter(([start]) => start > since).map(([, took]) => took)"
PART = """\
## Part {0}

A grey parrot is **not** a macaw: what helps most is the *tail*, and `kind()` tells it.

- It whistles your telephone's tune.
- It is short and red at its end, and the [guide](https://example.org) says so.

| What | Grey parrot | Scarlet macaw |
| --- | --- | --- |
| Weight | 400 g | 1,000 g |

```python
def kind(bird: Bird) -> str:
    return "grey parrot" if bird.tail < 12 else "macaw"
```

"""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a page holds once what it needs no more was collected."""

    heap: float
    """MB of JavaScript."""
    nodes: int
    listeners: int


def words(tokens: int) -> str:
    """Return an answer of about so many tokens: the script says a word at a time."""
    parts: list[str] = []
    count = 0
    while count < tokens:
        parts.append(PART.format(len(parts) + 1))
        count += len(parts[-1].split())
    return "".join(parts)


def memory(session: CDPSession) -> Memory:
    """Collect garbage, and measure."""
    for _again in range(3):
        session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    metrics = {each["name"]: each["value"] for each in found}
    return Memory(
        heap=metrics["JSHeapUsedSize"] / 1e6,
        nodes=int(metrics["Nodes"]),
        listeners=int(metrics["JSEventListeners"]),
    )


def visit_chat(browser: Browser, visit: Visit) -> tuple[Page, CDPSession]:
    """Open the empty chat, slowed down and observed."""
    context = browser.new_context()
    context.add_cookies(
        [{"name": "sessionid", "value": visit.session, "url": visit.url}]
    )
    context.add_init_script(OBSERVE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(visit.url + visit.empty)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page, session


def follow(page: Page, number: int) -> list[float]:
    """Ask once, follow the answer to its end, and return the long tasks meanwhile."""
    page.wait_for_timeout(1000)
    since = page.evaluate("performance.now()")
    page.get_by_label("Message", exact=True).fill("Tell me all of it.")
    page.keyboard.press("Enter")
    ended = page.locator('article[data-party="ASSISTANT"][data-status="complete"]')
    # Looking on is work for the page too, so it is done seldom.
    for _second in range(WAIT // 2000):
        page.wait_for_timeout(2000)
        if ended.count() == number:
            break
    expect(ended).to_have_count(number)
    tasks: list[float] = page.evaluate(TASKS, since)
    return tasks


def show(what: str, held: Memory, tasks: list[float] | None = None) -> None:
    """Print a line of the table."""
    long = "" if tasks is None else f"{len(tasks):>12}{max(tasks, default=0):>10.0f}"
    print(
        f"{what:<12}{held.heap:>9.2f}{held.nodes:>8}{held.listeners:>11}{long}",
        flush=True,
    )


def measure(browser: Browser, visit: Visit, answers: int) -> bool:
    """Follow some answers, load the page afresh, and say whether all is well."""
    page, session = visit_chat(browser, visit)
    print(f"{'':<12}{'heap MB':>9}{'nodes':>8}{'listeners':>11}", end="")
    print(f"{f'over {LONG} ms':>12}{'longest':>10}")
    show("before", memory(session))
    tasks: list[float] = []
    held = []
    for number in range(1, answers + 1):
        met = follow(page, number)
        tasks += met
        held.append(memory(session))
        show(f"answer {number}", held[-1], met)
    page.reload()
    page.wait_for_timeout(3000)
    fresh = memory(session)
    show("afresh", fresh)
    heap = held[-1].heap / held[0].heap
    nodes = held[-1].nodes / fresh.nodes
    print(f"heap: {heap:.2f} times that after one answer, target {HEAP_TARGET}")
    print(f"nodes: {nodes:.2f} times those of a fresh page, target {NODES_TARGET}")
    print(f"tasks over {LONG} ms: {len(tasks)}, target 0")
    return not tasks and heap <= HEAP_TARGET and nodes <= NODES_TARGET


def main() -> int:
    """Start the site and a browser, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--htmx", type=int, choices=(2, 4), default=2)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    options = parser.parse_args()
    tokens = options.tokens or (QUICK_TOKENS if options.quick else TOKENS)
    model: dict[str, Any] = {
        "label": "Scripted",
        "backend": "polly_htmx.llm.scripted.ScriptedInvoker",
        "params": {"text": words(tokens), "pace": PACE},
    }
    print(f"{tokens} tokens at {1 / PACE:.0f}/s, htmx {options.htmx}, {SLOWER}x slower")
    site = visited_site(MODELS={"SCRIPTED": model}, HTMX_VERSION=options.htmx)
    with site as visit, chromium() as browser:
        return int(not measure(browser, visit, options.answers))


if __name__ == "__main__":
    sys.exit(main())
