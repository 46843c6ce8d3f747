"""The page of the list in the browser: it stays as fresh as the list beside a chat."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from polly_htmx.models import SmartConversation, SocketCount
from tests.browser.conftest import Tab
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]


@pytest.mark.parametrize("version", [2, 4])
def test_page_of_the_list_shows_what_happens_also_after_a_restart(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    somebody: User,
    version: int,
) -> None:
    said = scripted(text="Seeds and fruit")
    site = start_site(**said, TITLES=True, HTMX_VERSION=version)
    listed, there = open_tab(site, somebody), open_tab(site, somebody)
    listed.open("/polly/")
    listed.eventually(lambda: len(listed.sockets) == 1)
    there.open_chat(chat)
    there.send("Hello")
    row = listed.page.locator(f"#polly-item-{chat.external_id}")
    expect(row.get_by_role("link")).to_contain_text("Seeds and fruit")
    expect(listed.page).to_have_title("Chats")
    expect(there.page).to_have_title(re.compile("^Seeds and fruit . Polly$"))
    site.kill(signal.SIGTERM)
    SocketCount.objects.all().delete()
    site.start()
    # Both are back: what changes before that, a page shows when it is loaded again.
    listed.eventually(
        lambda: sum(SocketCount.objects.values_list("count", flat=True)) > 1
    )
    there.open_chat(chat)
    there.page.locator(f"#polly-item-{chat.external_id} summary").click()
    there.page.get_by_role("button", name="Rename").first.click()
    there.page.get_by_role("textbox", name="Title").fill("By hand & <b>")
    there.page.get_by_role("button", name="Save").click()
    expect(row.get_by_role("link")).to_contain_text("By hand & <b>")
    expect(there.page).to_have_title(re.compile("^By hand & <b> . Polly$"))
    for tab in (listed, there):
        tab.assert_clean()


@pytest.mark.parametrize("version", [2, 4])
def test_the_archive_shows_what_another_tab_does(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    somebody: User,
    version: int,
) -> None:
    site = start_site(**scripted(text="Yes"), HTMX_VERSION=version)
    archive, there = open_tab(site, somebody), open_tab(site, somebody)
    archive.open("/polly/archived/")
    archive.eventually(
        lambda: sum(SocketCount.objects.values_list("count", flat=True)) == 1
    )
    there.open("/polly/")
    row = archive.page.locator(f"#polly-item-{chat.external_id}")
    other = there.page.locator(f"#polly-item-{chat.external_id}")
    other.get_by_role("button", name="Archive", exact=True).click()
    expect(row.get_by_role("button", name="Unarchive")).to_be_visible()
    other.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("is back in the list.")
    row.get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Unarchive")).to_be_visible()
    expect(row).to_have_count(1)
    expect(other).to_contain_text("was archived.")
    for tab in (archive, there):
        tab.assert_clean()
