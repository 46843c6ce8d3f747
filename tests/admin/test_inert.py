"""
Hostile texts in the admin do nothing but be read, also under Alpine and htmx.

Every page is rendered twice: with the hostile text, and with the same text of
which each character is an x. What a browser makes of both may differ in text and
in a few harmless attributes, and in nothing else.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client
from django.urls import reverse

from polly_htmx.markdown import clean_text
from polly_htmx.models import Message, Parrot, ParrotVersion, SmartConversation, Trick
from tests.admin.conftest import say
from tests.corpus import XSS
from tests.oracle import assert_inert, parsed, with_class

LARGE = 5_000
PAYLOADS = [clean_text(entry.text) for entry in XSS if len(entry.text) < LARGE]
ALPINE = [
    '"><div x-data x-init="__xss()">',
    "' x-on:click='__xss()' @click='__xss()' :class='__xss()",
    '"><p hx-get="/x" hx-trigger="load" hx-on::load="__xss()">',
    "'; __xss(); //",
    "{{ 7*7 }} ${__xss()} </script><script>__xss()</script>",
    "javascript:__xss()",
]
# Where no Alpine is there to read them, all of those are just text.
FOR_ALPINE = ALPINE if apps.is_installed("unfold") else ALPINE[:2]
SAMPLE = [*FOR_ALPINE, *random.Random(2026).sample(PAYLOADS, 2), "\n".join(PAYLOADS)]
IN_LISTS = (
    PAYLOADS
    if os.environ.get("POLLY_LONG") == "1"
    else [*ALPINE, *random.Random(7).sample(PAYLOADS, 40)]
)
LAST = len(SAMPLE) - 1
# Who may only look is shown less, by the same templates: the first text and the longest.
READ = range(len(SAMPLE)) if os.environ.get("POLLY_LONG") == "1" else (0, LAST)
SEEN = [
    *(("superuser", number) for number in range(len(SAMPLE))),
    *(("view-only", number) for number in READ),
]
COLORS = ['"><s x>', "'x-a=1", "#ffffff"]
MAY_DIFFER = {"value", "title", "aria-label", "alt", "placeholder", "fill"}
PER_PAGE = 50

Change = Callable[[str], str]


def unchanged(text: str) -> str:
    return text


def harmless(text: str) -> str:
    return re.sub(r"\S", "x", text)


def shape(html: str) -> list[object]:
    """Return all that a browser would act on."""
    tree = parsed(html)
    for element in tree.iter():
        if "polly-message__content" in (element.get("class") or ""):
            element[:] = []  # Markdown may differ; it is looked at on its own.
    return [part for element in tree.iter() for part in parts(element)]


def parts(element: Element) -> list[object]:
    """Return an element's name, attributes, and text where that is a program."""
    tag: object = element.tag  # A function, where it is a comment.
    name = tag if isinstance(tag, str) else "comment"
    found: list[object] = [name]
    for attribute, value in sorted(element.attrib.items()):
        if attribute in {"href", "action"}:
            # Numbers and searches may differ, the way to go may not.
            way = urlsplit(value)
            found.append((attribute, way.scheme, way.netloc, value[:1] == "?"))
        else:
            found.append((attribute, attribute in MAY_DIFFER or value))
    if name in {"script", "style", "comment"}:
        found.append(element.text)
    return found


def assert_same_shape(hostile: list[str], benign: list[str]) -> None:
    for page, other in zip(hostile, benign, strict=True):
        if "polly-message__content" in page:
            for content in with_class(page, "polly-message__content"):
                assert_inert(content)
        assert shape(page) == shape(other)


@pytest.fixture(params=["superuser", "view-only"])
def somebody(request: pytest.FixtureRequest, db: None) -> Client:
    name = "admin_client" if request.param == "superuser" else "viewer"
    client: Client = request.getfixturevalue(name)
    return client


def fill_lists(change: Change) -> None:
    """Make a row with each hostile text in each table."""
    texts = [f"{number} {change(text)}" for number, text in enumerate(IN_LISTS)]
    parrots = Parrot.objects.bulk_create(
        Parrot(name=t[:100], model=t[:100], color=change(COLORS[0])) for t in texts
    )
    Trick.objects.bulk_create(
        Trick(parrot=parrot, name=text[:100])
        for parrot, text in zip(parrots, texts, strict=True)
    )
    users = User.objects.bulk_create(User(username=text[:150]) for text in texts)
    conversations = SmartConversation.objects.bulk_create(
        SmartConversation(parrot=parrot, user=user, title=text[:200])
        for parrot, user, text in zip(parrots, users, texts, strict=True)
    )
    for each, text in zip(conversations, texts, strict=True):
        say(each, text)


def empty_lists() -> None:
    for rows in (Message.objects, SmartConversation.objects, Trick.objects):
        rows.all().delete()
    ParrotVersion.objects.all().delete()
    Parrot.objects.all().delete()
    User.objects.filter(is_staff=False).delete()


@pytest.mark.no_cover
def test_lists_are_inert(somebody: Client) -> None:
    pages = -(-len(IN_LISTS) // PER_PAGE)
    addresses = [
        f"/admin/polly_htmx/{name}/?p={page}"
        for name in ("parrot", "trick", "smartconversation", "message")
        for page in range(1, pages + 1)
    ]
    rendered = []
    for change in (unchanged, harmless):
        fill_lists(change)
        answers = [somebody.get(each) for each in addresses]
        assert {answer.status_code for answer in answers} == {200}
        rendered.append([answer.content.decode() for answer in answers])
        empty_lists()
    assert_same_shape(*rendered)


def fill(conversation: SmartConversation, text: str) -> None:
    """Put a text everywhere where one can be."""
    Parrot.objects.update(
        name=text[:100],
        model=text[:100] or "x",
        system_prompt=text,
        parameters={"stop": text},
    )
    Trick.objects.update(name=text[:100], description=text)
    SmartConversation.objects.update(title=text[:200], context=text, slot=text[:200])
    User.objects.filter(polly_conversations=conversation).update(username=text[:150])
    Message.objects.update(
        content=text, instructions=text, context=text, error=text[:40]
    )
    LogEntry.objects.update(object_repr=text[:200], change_message=text)


def pages_of(rows: Sequence[models.Model]) -> list[str]:
    addresses = ["/admin/"]
    for row in rows:
        name = row._meta.model_name
        addresses += [
            reverse(f"admin:polly_htmx_{name}_{page}", args=[row.pk])
            for page in ("change", "history", "delete")
        ]
        if isinstance(row, SmartConversation):
            addresses.append(
                reverse(f"admin:polly_htmx_{name}_transcript", args=[row.pk])
            )
    return addresses


@pytest.fixture
def addresses(conversation: SmartConversation, admin_user: User) -> list[str]:
    """Return the pages of one row of each table, each with a history."""
    trick = Trick.objects.create(parrot=conversation.parrot, name="Sing")
    message, _reply = say(conversation, "One", "Two")
    rows = [conversation.parrot, trick, conversation, message]
    for row in rows:
        LogEntry.objects.create(
            user=admin_user,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr="x",
            action_flag=CHANGE,
        )
    return pages_of(rows)


@pytest.mark.no_cover
@pytest.mark.parametrize(("somebody", "number"), SEEN, indirect=["somebody"])
def test_pages_of_rows_are_inert(
    somebody: Client, conversation: SmartConversation, addresses: list[str], number: int
) -> None:
    text = SAMPLE[number]
    rendered = []
    for change in (unchanged, harmless):
        fill(conversation, change(text))
        rendered.append([somebody.get(each).content.decode() for each in addresses])
    assert_same_shape(*rendered)


@pytest.mark.parametrize("color", COLORS)
def test_colour_that_got_past_the_form_is_inert(
    somebody: Client, parrot: Parrot, color: str
) -> None:
    rendered = []
    for value in (color, "#2f855a"):
        Parrot.objects.update(color=value)
        page = somebody.get("/admin/polly_htmx/parrot/").content.decode()
        rendered.append([page])
    assert_same_shape(*rendered)


@pytest.mark.parametrize("text", ALPINE)
def test_answer_to_a_form_is_inert(
    admin_client: Client, parrot: Parrot, text: str
) -> None:
    """What was typed comes back in a success or in an error."""
    address = reverse("admin:polly_htmx_parrot_change", args=[parrot.pk])
    rendered = []
    for change in (unchanged, harmless):
        fields = {
            "name": change(text),
            "color": "#ffffff",
            "age": "3",
            "model": "DUMMY",
            "system_prompt": change(text),
            "tricks-TOTAL_FORMS": "0",
            "tricks-INITIAL_FORMS": "0",
        }
        wrong = {"parameters": change(text), "color": change(text)}
        answers = [
            admin_client.post(address, fields, follow=True),
            admin_client.post(address, {**fields, **wrong}),
            admin_client.post(
                address, {**fields, "parameters": f'{{"{change("x<b>")}": 1}}'}
            ),
        ]
        rendered.append([answer.content.decode() for answer in answers])
    assert_same_shape(*rendered)


def test_autocomplete_answers_with_json(admin_client: Client, parrot: Parrot) -> None:
    Parrot.objects.update(name=ALPINE[0])
    asked = {"app_label": "polly_htmx", "model_name": "trick", "field_name": "parrot"}
    answer = admin_client.get("/admin/autocomplete/", asked)
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["results"][0]["text"] == ALPINE[0]
