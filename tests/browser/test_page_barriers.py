"""No barrier by axe-core's rules on the pages around a chat, in both colour schemes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from polly_htmx.models import Feedback, SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_accessibility import RICH
from tests.browser.test_messages import say
from tests.browser.test_state_barriers import both_schemes, state
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]


def visit(tab: Tab, name: str, path: str) -> None:
    """Open a page, and look at it in both widths."""
    with state(tab, name):
        tab.open(path)


@both_schemes
def test_pages_around_a_chat_have_no_barriers(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    question, answer = say(chat, "A needle", RICH)
    Feedback.objects.create(message=answer, good=True, comment="So it is.")
    for title in ("An old needle " + "so long " * 20, "Pinned"):
        SmartConversation.objects.create(
            parrot=chat.parrot,
            user=somebody,
            title=title,
            **{"pinned_at" if title == "Pinned" else "archived_at": timezone.now()},
        )
    tab = open_tab(start_site(**scripted(text="Fine.")), somebody, color_scheme=scheme)
    key = chat.external_id
    visit(tab, "archived", reverse("polly:archived"))
    visit(tab, "found", "/polly/search/?q=needle")
    visit(tab, "nothing found", "/polly/search/?q=nowhere")
    visit(tab, "rename", reverse("polly:rename", args=[key]))
    for name, message in {
        "edit": question,
        "message": answer,
        "comment": answer,
    }.items():
        visit(tab, name, reverse(f"polly:{name}", args=[key, message.external_id]))
    tab.assert_clean()


@both_schemes
def test_refused_message_on_a_page_of_its_own_has_no_barriers(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    """As browsers without a script show it; axe itself needs one."""
    tab = open_tab(start_site(**scripted(text="Fine.")), somebody, color_scheme=scheme)
    with state(tab, "refused"):
        tab.open(chat.get_absolute_url())
        tab.page.locator(".polly-composer__text").evaluate(
            "box => { box.value = '   ';"
            " HTMLFormElement.prototype.submit.call(box.form) }"
        )
        expect(tab.page.get_by_role("alert")).to_contain_text("write a message")


@both_schemes
def test_transcript_in_the_admin_has_no_barriers(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    """Our part of the page: what is around it is unfold's."""
    say(chat, RICH, RICH)
    somebody.is_staff = somebody.is_superuser = True
    somebody.save()
    tab = open_tab(start_site(), somebody, color_scheme=scheme)
    name = "admin:polly_htmx_smartconversation_transcript"
    tab.open(reverse(name, args=[chat.pk]))
    expect(tab.page.locator("article")).to_have_count(2)
    found = Axe().run(tab.page, context="#content-main .polly").response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
