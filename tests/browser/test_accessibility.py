"""Accessibility by axe-core's rules, in both colour schemes, on phones and desks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect

from polly_htmx.models import Message, Parrot, ParrotVersion, SmartConversation
from tests.admin.conftest import say
from tests.browser.conftest import Tab
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]

RICH = """\
# A heading

Some *emphasis*, **strength**, ~~a slip~~, `code`, and [a link](https://example.org).

- [x] done
- [ ] to do

1. first
2. second

> A quotation.

```python
def hello(name: str) -> str:
    # A comment that is quite long, so that the line is wider than any phone is.
    return f"Hello {name}, this is a rather long line of code to scroll through."
```

| left | centre | right | further | columns | so that | it is | wide |
| :--- | :----: | ----: | ------- | ------- | ------- | ----- | ---- |
| a    |   b    |     c | dddddddddddddddd | eeeeeeeeeeeeeee | f | g | h |

---

averyverylongwordthatdoesnotbreakaveryverylongwordthatdoesnotbreakaveryverylongword
"""

PAGES = ["list", "empty list", "empty chat", "rich chat", "host page"]
HEAR = """
status => {
  window.said = [];
  new MutationObserver(() => said.push(status.textContent.trim()))
    .observe(status, { childList: true });
}
"""
"""Keeps all that a status line has said: some of it for less than a look takes."""
WIDE = "() => document.scrollingElement.scrollWidth"


def fill(page: str, chat: SmartConversation) -> str:
    """Fill the site for a page, and return the page's path."""
    if page == "empty list":
        for kind in (SmartConversation, ParrotVersion, Parrot):
            kind.objects.all().delete()
    elif page == "list":
        Parrot.objects.create(name="Molly", model="SCRIPTED")
        SmartConversation.objects.create(
            parrot=chat.parrot, user=chat.user, title="A title " + "so long " * 20
        )
    elif page == "rich chat":
        say(chat, RICH, RICH, "And now?")
        Message.objects.create(
            conversation=chat,
            party="ASSISTANT",
            version=chat.parrot.current_version(),
            content="It broke",
            status="failed",
            error="interrupted",
        )
        chat.title = "A chat about everything"
        chat.save()
    paths = {"host page": "/host/", "list": "/polly/", "empty list": "/polly/"}
    return paths.get(page, chat.get_absolute_url())


def violations(tab: Tab) -> list[str]:
    """Return what axe-core objects to."""
    found = Axe().run(tab.page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("page", PAGES)
def test_page_has_no_barriers_and_fits_a_phone(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    page: str,
) -> None:
    path = fill(page, chat)
    site = start_site(**scripted(text="Fine."))
    for scheme in ("light", "dark"):
        tab = open_tab(site, somebody, color_scheme=scheme)
        for width in (320, 1280):
            tab.page.set_viewport_size({"width": width, "height": 700})
            tab.open(path)
            assert violations(tab) == []
            assert tab.page.evaluate(WIDE) <= width
        tab.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chat_has_no_barriers_while_and_after_something_happens(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    """A refusal, an answer that is being written, and one that failed."""
    script = scripted(text=RICH, pace=0.02, fault="stall")
    site = start_site(GAP_TIMEOUT=5, **script)
    tab = open_tab(site, somebody, color_scheme=scheme)
    tab.page.set_viewport_size({"width": 320, "height": 700})
    tab.open_chat(chat)
    tab.send("   ")
    expect(tab.page.get_by_role("alert")).to_contain_text("write a message")
    assert violations(tab) == []
    tab.send("Hello")
    last = tab.page.locator('article[data-party="ASSISTANT"]').last
    expect(last).to_contain_text("A quotation")
    expect(last).to_have_attribute("data-status", "streaming")
    assert violations(tab) == []
    expect(last).to_have_attribute("data-status", "failed")
    assert violations(tab) == []
    assert tab.page.evaluate(WIDE) <= 320


def test_the_status_line_speaks_and_the_log_does_not(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
) -> None:
    """A live log would read every answer from its start at each of its words."""
    site = start_site(**scripted(text="One two three.", pace=0.05))
    tab = open_tab(site, somebody)
    tab.open_chat(chat)
    expect(tab.page.get_by_role("log")).to_have_attribute("aria-live", "off")
    status = tab.page.get_by_role("status")
    expect(status).to_have_count(1)
    status.evaluate(HEAR)
    tab.send("Hello")
    expect(status).to_have_text("Polly has answered.")
    assert "Polly is answering." in tab.page.evaluate("said")
    assert (
        tab.page.locator("[data-polly-chat] [aria-live]:not([aria-live=off])").count()
        == 0
    )
