"""Reloading in mid answer, and a tab in another process: the same words everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from polly_htmx.models import SmartConversation
from tests.browser.test_chat import both_versions, last_reply
from tests.live import Site, scripted
from tests.services import redis_server

pytestmark = [pytest.mark.browser, pytest.mark.live]

RELOADS = 10
STEP = 12
"""Words between two reloads."""
BEHIND = 3 * STEP
"""Words that may be written between two checkpoints, and some for a busy machine."""
TEXT = " ".join(f"word{number}," for number in range(STEP * (RELOADS + 1)))
SCRIPT = scripted(text=TEXT, pace=0.05)


@both_versions
def test_each_reload_in_mid_answer_shows_at_once_what_there_is_and_goes_on(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **SCRIPT)
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send("Hello")
    found: list[int] = []
    for number in range(1, RELOADS + 1):
        expect(last_reply(tab)).to_contain_text(f"word{number * STEP},")
        response = tab.page.reload()
        # As it comes from the server: no script has run, and no socket is open.
        found.append(len(set(re.findall(r"word\d+,", response.text()))))
    least = [number * STEP - BEHIND for number in range(1, RELOADS + 1)]
    assert all(here > there for here, there in zip(found, least, strict=True)), found
    assert found == sorted(found)
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    expect(last_reply(tab)).to_contain_text(TEXT)
    tab.assert_equals_fresh(chat)
    tab.assert_clean()


def test_tab_in_another_process_sees_the_same_words_live(
    open_tab: Callable[..., Any],
    somebody: User,
    chat: SmartConversation,
) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server())
        one, two = (
            stack.enter_context(Site(polly=SCRIPT, layer=redis.layer)) for _ in "12"
        )
        near, far = open_tab(one, somebody), open_tab(two, somebody)
        near.open_chat(chat)
        far.open_chat(chat)
        near.send("Hello")
        expect(last_reply(far)).to_contain_text("word5,")
        expect(last_reply(far)).to_have_attribute("data-status", "streaming")
        for tab in (near, far):
            expect(last_reply(tab)).to_have_attribute("data-status", "complete")
            expect(last_reply(tab)).to_contain_text(TEXT)
        for tab in (near, far):
            tab.assert_equals_fresh(chat)
            tab.assert_clean()
