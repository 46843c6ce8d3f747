"""What a chat leaves behind in a browser that others use too: nothing to read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from polly_htmx.models import SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_chat import last_reply
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]

SECRET = "nobody else's business"
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])"


@pytest.mark.parametrize("version", [2, 4])
def test_nothing_is_kept_and_the_way_back_shows_nothing(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text="I keep it."))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    tab.send(SECRET)
    expect(last_reply(tab)).to_have_attribute("data-status", "complete")
    assert SECRET in tab.page.content()
    assert SECRET not in tab.page.evaluate(STORED)
    tab.open("/polly/")
    Session.objects.all().delete()
    tab.page.go_back()
    expect(tab.page.get_by_label("Password")).to_be_visible()
    assert SECRET not in tab.page.content()
    assert SECRET not in tab.page.evaluate(STORED)
    tab.assert_clean()
