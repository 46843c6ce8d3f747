"""What a first visit costs: bytes over the wire, and nobody else's host."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Response, expect

from polly_htmx.models import SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_accessibility import RICH
from tests.browser.test_messages import say
from tests.live import Site

pytestmark = [pytest.mark.browser, pytest.mark.live]

PAGE_BYTES = 60_000
SCRIPT_BYTES = 4_000
LEVEL = 6
"""Of gzip: what servers and whitenoise use by default, or less than it."""
MESSAGES = 20
CHATS = 30
OWN = "/static/polly_htmx/"


def kind(response: Response) -> str:
    """Return what a response is to a page: whose, and of which kind."""
    whose = "own " if OWN in response.url else ""
    return whose + response.request.resource_type


def weigh(responses: list[Response]) -> Iterator[tuple[str, int, int]]:
    """Yield kind, bytes and bytes over the wire of each response."""
    for response in responses:
        body = response.body()
        yield kind(response), len(body), len(gzip.compress(body, LEVEL))


@pytest.mark.parametrize("version", [2, 4])
def test_first_visit_is_light_and_stays_with_us(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    version: int,
    record_property: Callable[[str, Any], None],
) -> None:
    """Twenty messages with all of Markdown in them, and a full page of chats beside."""
    texts = ["What *now*?", "So this.", RICH.replace("very", ""), "And then?"]
    say(chat, *(texts * MESSAGES)[:MESSAGES])
    SmartConversation.objects.bulk_create(
        SmartConversation(parrot=chat.parrot, user=somebody, title=f"A chat, no. {n}")
        for n in range(CHATS)
    )
    tab = open_tab(start_site(HTMX_VERSION=version), somebody)
    responses: list[Response] = []

    def answered(response: Response) -> None:
        responses.append(response)

    tab.page.on("response", answered)
    tab.open_chat(chat)
    tab.page.wait_for_load_state("networkidle")
    expect(tab.page.locator("article")).to_have_count(MESSAGES)
    raw: Counter[str] = Counter()
    wire: Counter[str] = Counter()
    for name, size, packed in weigh(responses):
        raw[name] += size
        wire[name] += packed
    for name in sorted(wire):
        print(f"{name:<16}{raw[name]:>8} bytes{wire[name]:>8} over the wire")
    print(f"{'all':<16}{raw.total():>8} bytes{wire.total():>8} over the wire")
    record_property("bytes over the wire", wire.total())
    assert wire["document"] > 0
    assert wire["own stylesheet"] > 0
    assert 0 < wire["own script"] < SCRIPT_BYTES
    assert wire.total() < PAGE_BYTES
    tab.assert_clean()
