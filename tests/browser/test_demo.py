"""The demo as `make demo` starts it: the real path of a person, with the real model."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from polly_htmx.llm import LLMModelType, problem
from tests.live import ROOT, free_port
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.alone,
    pytest.mark.browser,
    pytest.mark.live,
    pytest.mark.timeout(300),
]

ANSWER_MS = 120_000
"""Milliseconds that the small model gets for an answer on a busy machine."""
SECOND_START = 20
"""Seconds; some of them are Python's own, on a busy machine."""
# Words of the suite that a person's shell does not have.
FOREIGN = ("DJANGO_", "POLLY_", "PYTEST_")
# Watches a reply from before it exists: each length of its text while it streams.
WATCH = """
() => {
  window.lengths = [];
  new MutationObserver(() => {
    for (const reply of document.querySelectorAll("[data-status=streaming]")) {
      const { length } = reply.querySelector(".polly-message__content").textContent;
      if (length > (window.lengths.at(-1) ?? 0)) window.lengths.push(length);
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}
"""


@dataclass
class Demo:
    """A running demo, and what it has said."""

    process: subprocess.Popen[bytes]
    log: Path
    address: str

    def said(self) -> str:
        """Return what stands in the terminal."""
        return self.log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        """Return when the line with the address is there."""
        deadline = time.monotonic() + PATIENCE
        while f"Ready: {self.address}/" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def interrupt(self) -> None:
        """Press Ctrl-C, and see that it ends in order."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) in {0, 130}, self.said()
        assert "Traceback" not in self.said(), self.said()


@pytest.fixture(autouse=True)
def model() -> None:
    """Say what is missing where the embedded model can't run."""
    missing = problem(LLMModelType.SMOLLM2_135M_INSTRUCT)
    if missing:
        pytest.fail(f"The demo needs its model. {missing.text} {missing.hint}")


@pytest.fixture
def start_demo(tmp_path: Path) -> Callable[[], contextlib.AbstractContextManager[Demo]]:
    """Return a function that starts the demo, each time on the same data."""

    @contextmanager
    def start() -> Iterator[Demo]:
        port = free_port()
        log = tmp_path / f"{port}.log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.demo", "--port", str(port)],
                cwd=ROOT,
                env={
                    **kept,
                    "POLLY_SANDBOX_DATA": str(tmp_path / "data"),
                    "PYTHONFAULTHANDLER": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        demo = Demo(process, log, f"http://127.0.0.1:{port}")
        try:
            demo.wait_until_ready()
            yield demo
        finally:
            process.kill()
            process.wait()

    return start


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page in which what is watched may be read: its policy is set aside."""
    context = browser.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


def sign_in(page: Page, address: str) -> None:
    """Sign in as demo, from the home page on."""
    page.goto(address)
    page.locator("header").get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out demo")).to_be_visible()


def ask(page: Page, text: str) -> None:
    """Type a message and press Enter."""
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def expect_answer(page: Page) -> None:
    """Wait until the reply is complete, and see that it has words."""
    reply = page.locator("[data-party=ASSISTANT]").last
    expect(reply).to_have_attribute("data-status", "complete", timeout=ANSWER_MS)
    expect(reply.locator(".polly-message__content")).to_have_text(re.compile(r"\w"))


def log_html(page: Page) -> str:
    """Return what stands in the log: the messages, to the letter."""
    return page.locator(".polly-log__recent").inner_html().strip()


def test_person_signs_in_asks_the_model_and_finds_the_answer_again(
    start_demo: Callable[[], contextlib.AbstractContextManager[Demo]], page: Page
) -> None:
    with start_demo() as demo:
        sign_in(page, demo.address)
        page.get_by_role("link", name="Chats").click()
        page.get_by_role("button", name="New chat").click()
        page.evaluate(WATCH)
        ask(page, "What do parrots eat? Write five short sentences.")
        expect_answer(page)
        assert len(page.evaluate("window.lengths")) > 2
        chat, live = page.url, contents(page)
        page.reload()
        assert contents(page) == live
        # Once drawn from the rows, it stays as it is.
        html = log_html(page)
        page.reload()
        assert log_html(page) == html
        demo.interrupt()

    begun = time.monotonic()
    with start_demo() as demo:
        assert time.monotonic() - begun < SECOND_START
        page.goto(demo.address + chat.removeprefix(chat.split("/polly/")[0]))
        expect(page.locator("[data-party=ASSISTANT]")).to_have_count(1)
        assert log_html(page) == html
        demo.interrupt()


def contents(page: Page) -> list[str]:
    """Return the inner HTML of each message's text."""
    found = page.locator(".polly-message__content").all()
    return [each.inner_html() for each in found]


def test_chat_in_the_home_page_answers(
    start_demo: Callable[[], contextlib.AbstractContextManager[Demo]], page: Page
) -> None:
    with start_demo() as demo:
        sign_in(page, demo.address)
        expect(page.get_by_role("heading", name="Ask Polly")).to_be_visible()
        ask(page, "Say hello in one sentence.")
        expect_answer(page)
        page.reload()
        expect(page.locator("[data-party=USER]")).to_have_count(1)
        expect_answer(page)
        demo.interrupt()
