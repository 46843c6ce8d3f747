"""The admin in Chromium: what unfold's Alpine and htmx make of hostile texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from polly_htmx.markdown import clean_text
from polly_htmx.models import Parrot, SmartConversation, Trick
from tests.admin.conftest import say
from tests.admin.test_inert import ALPINE, pages_of
from tests.corpus import XSS

pytestmark = [pytest.mark.browser, pytest.mark.live]
TEXTS = [*ALPINE, *(clean_text(each.text) for each in XSS if len(each.text) < 200)]


@pytest.fixture
def superuser(transactional_db: None) -> User:
    """Return somebody who sees all pages of the admin."""
    return User.objects.create_superuser("root", password="pw")


def fill(chat: SmartConversation, text: str) -> None:
    """Put a text into the fields that people fill in."""
    Trick.objects.update(name=text[:100], description=text)
    Parrot.objects.update(
        name=text[:100],
        system_prompt=text,
        parameters={"stop": [text], "top_k": text},
        fallbacks=[text],
        model=text[:100],
    )
    SmartConversation.objects.update(title=text[:200], context=text)
    chat.messages.filter(sequence=1).update(content=text, instructions=text)


def test_hostile_texts_run_nowhere_in_the_admin(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    superuser: User,
    chat: SmartConversation,
) -> None:
    tab = open_tab(start_site(), superuser)
    called: list[str] = []
    tab.page.expose_function("__xss", lambda: called.append(tab.page.url))
    tab.page.on("dialog", lambda dialog: called.append(dialog.message))
    trick = Trick.objects.create(parrot=chat.parrot, name="Sing")
    message, *_others = say(chat, "One", *TEXTS)
    addresses = pages_of([chat.parrot, trick, chat, message])
    lists = {
        address.rsplit("/", 3)[0] + "/" for address in addresses if "change" in address
    }
    for text in ("\n\n".join(TEXTS), ALPINE[0], ALPINE[1]):
        fill(chat, text)
        for address in [*addresses, *sorted(lists)]:
            tab.open(address)
    assert called == []
    tab.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_parrot_is_set_up_in_its_form(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    superuser: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    tab = open_tab(start_site(), superuser, color_scheme=scheme)
    parrot = Parrot.objects.get()
    address = f"/admin/polly_htmx/parrot/{parrot.pk}/change/"
    tab.open(address)
    form = tab.page
    form.get_by_label("Temperature").fill("3")
    form.get_by_label("Stop").fill("END\nTHE END")
    form.get_by_label("Fallbacks").fill("GPT_5_4_MNI")
    form.get_by_role("button", name="Save", exact=True).click()
    expect(
        form.get_by_text("temperature must be a number from 0 to 2.")
    ).to_be_visible()
    expect(form.get_by_text("Did you mean GPT_5_4_MINI?")).to_be_visible()
    form.get_by_label("Temperature").fill("0.5")
    form.get_by_label("Fallbacks").fill("GPT_5_4_MINI")
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form).to_have_url(f"{tab.site.url}/admin/polly_htmx/parrot/")
    parrot.refresh_from_db()
    assert parrot.parameters == {"temperature": 0.5, "stop": ["END", "THE END"]}
    assert parrot.fallbacks == ["GPT_5_4_MINI"]
    tab.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_transcript_is_read_from_the_conversations_page(
    start_site: Callable[..., Any],
    open_tab: Callable[..., Any],
    superuser: User,
    chat: SmartConversation,
    scheme: str,
) -> None:
    say(chat, "How do you do?", "**Fine**, thank you.\n\n- one\n- two")
    tab = open_tab(start_site(), superuser, color_scheme=scheme)
    tab.open(f"/admin/polly_htmx/smartconversation/{chat.pk}/change/")
    tab.page.get_by_role("link", name="Read", exact=True).click()
    expect(tab.page.get_by_role("article")).to_have_count(2)
    expect(tab.page.get_by_role("article").last).to_contain_text("Fine, thank you.")
    tab.page.get_by_role("link", name="Back to the conversation").click()
    expect(tab.page).to_have_url(
        f"{tab.site.url}{'/admin/polly_htmx/smartconversation/'}{chat.pk}/change/"
    )
    tab.assert_clean()
