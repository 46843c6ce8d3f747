"""Snippets of the README that only a browser can judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from polly_htmx.models import Parrot
from tests.browser.conftest import Tab
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]


@pytest.mark.parametrize("version", [2, 4])
def test_page_with_its_own_htmx_chats_under_a_strict_policy(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    version: int,
) -> None:
    Parrot.objects.create(name="Polly", model="SCRIPTED")
    site = start_site(HTMX_VERSION=version, **scripted(pace=0.02))
    tab = open_tab(site, somebody)
    tab.open("/own-htmx/")
    replies = tab.page.locator("article[data-party=ASSISTANT]")
    for number in (1, 2):  # The first goes by HTTP, the second over the socket.
        tab.send("Hello")
        expect(replies).to_have_count(number)
        expect(replies.last).to_have_attribute("data-status", "complete")
    assert len(tab.sockets) == 1
    tab.assert_clean()
