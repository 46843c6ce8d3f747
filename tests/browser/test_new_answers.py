"""The mark of a new answer in the browser: it stays until somebody has looked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from polly_htmx.models import SmartConversation
from tests.browser.conftest import Tab
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]


def send_unseen(tab: Tab, chat: SmartConversation) -> None:
    """Send a message as a plain form does, and look at nothing that comes of it."""
    cookies = {each["name"]: each["value"] for each in tab.page.context.cookies()}
    sent = tab.page.request.post(
        tab.site.url + reverse("polly:send", args=[chat.external_id]),
        form={"message": "Hello", "csrfmiddlewaretoken": cookies["csrftoken"]},
        max_redirects=0,
    )
    assert sent.status == 302


@pytest.mark.parametrize("version", [2, 4])
def test_an_answer_is_new_until_it_was_seen(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    chat: SmartConversation,
    somebody: User,
    version: int,
) -> None:
    site = start_site(**scripted(text="Seeds and fruit"), HTMX_VERSION=version)
    other = SmartConversation.objects.create(parrot=chat.parrot, user=somebody)
    listed, beside, there = (open_tab(site, somebody) for _ in range(3))
    listed.open("/polly/")
    listed.eventually(lambda: len(listed.sockets) == 1)
    beside.open_chat(other)
    rows = [
        each.page.locator(f"#polly-item-{chat.external_id}")
        for each in (listed, beside)
    ]
    send_unseen(listed, chat)
    for row in rows:
        expect(row.get_by_role("link")).to_contain_text("New answer")
    listed.page.reload()
    beside.page.reload()
    for row in rows:
        expect(row.get_by_role("link")).to_contain_text("New answer")
    listed.eventually(lambda: len(listed.sockets) == 2)
    beside.eventually(lambda: len(beside.sockets) == 2)
    # By a look at its page, and then by the line of a page that stays.
    there.open_chat(chat)
    expect(rows[0].get_by_role("link")).not_to_contain_text("New answer")
    there.send("And more?")
    expect(there.page.locator('article[data-status="complete"]')).to_have_count(4)
    there.eventually(
        lambda: SmartConversation.objects.filter(
            pk=chat.pk, current__status="complete", has_new_answer=False
        ).exists()
    )
    for each in (listed, beside):
        each.page.reload()
    for row in rows:
        expect(row.get_by_role("link")).not_to_contain_text("New answer")
    for each in (listed, beside, there):
        each.assert_clean()
