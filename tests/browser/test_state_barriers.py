"""No barrier by axe-core's rules in any state of a chat, in both colour schemes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from polly_htmx.models import Parrot, SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_accessibility import WIDE, violations
from tests.browser.test_chat import box, last_reply
from tests.browser.test_composer import waiting
from tests.browser.test_replies import button
from tests.chat.halves import retire
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])
PHONE, DESK = 320, 1280


@contextmanager
def state(tab: Tab, name: str) -> Iterator[None]:
    """Look at a state when the block has brought it about."""
    yield
    for width in (DESK, PHONE):
        tab.page.set_viewport_size({"width": width, "height": 700})
        assert (name, violations(tab)) == (name, [])
        assert tab.page.evaluate(WIDE) <= width, name


@both_schemes
def test_states_of_composer_and_queue_have_no_barriers(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    Parrot.objects.update(greeting="**Ahoy!**\n\n- one", starters=["Sing", "x " * 90])
    site = start_site(**scripted(text="word " * 4000, first=4, pace=0.1))
    tab = open_tab(site, somebody, color_scheme=scheme)
    tab.open_chat(chat)
    with state(tab, "empty"):
        expect(button(tab, "Sing")).to_be_visible()
    with state(tab, "shortcuts"):
        button(tab, "Keyboard shortcuts").click()
    tab.page.keyboard.press("Escape")
    with state(tab, "waiting for the first word"):
        tab.send("Hello")
        expect(last_reply(tab)).to_have_attribute("data-status", "pending")
    with state(tab, "queue"):
        for text in ("Second", "Third " * 60):
            tab.send(text)
            expect(waiting(tab).last).to_contain_text(text.strip())
    with state(tab, "streaming"):
        expect(last_reply(tab)).to_contain_text("word")
    with state(tab, "stopped, with a queue that is held"):
        button(tab, "Stop").click()
        expect(button(tab, "Send now")).to_be_visible()
    with state(tab, "taken back"):
        box(tab).fill("Typed")
        button(tab, "Take back").last.click()
        expect(button(tab, "Put it into the message")).to_be_visible()
    with state(tab, "over the limit"):
        box(tab).fill("x" * 16_001)
        box(tab).press("Enter")
        expect(tab.page.get_by_role("alert")).to_contain_text("at most")
    tab.assert_clean()


@both_schemes
def test_states_of_line_and_person_have_no_barriers(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    site = start_site(**scripted(text="Fine."))
    tab = open_tab(site, somebody, color_scheme=scheme)
    tab.open_chat(chat)
    status = tab.page.get_by_role("status")
    with state(tab, "reconnecting"):
        site.kill(signal.SIGKILL)
        expect(status).to_contain_text("connection is lost")
    with state(tab, "back"):
        site.start()
        expect(status).to_have_text("The connection is back.", timeout=60_000)
    retire(chat.parrot)
    with state(tab, "retired"):
        tab.open_chat(chat)
        expect(tab.page.locator(".polly-retired")).to_be_visible()
    with state(tab, "signed out"):
        Session.objects.all().delete()
        refused = tab.page.locator(".polly-refused")
        expect(refused).to_contain_text("sign in")
    assert not tab.violations
