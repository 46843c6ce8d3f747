"""Search: one's own chats by words, with or without an index."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from polly_htmx.access import Who
from polly_htmx.chat import search as module, search_sql, shelf
from polly_htmx.chat.excerpts import excerpt
from polly_htmx.chat.search import search
from polly_htmx.exceptions import SignInRequired
from polly_htmx.models import Message, Parrot, SmartConversation, search_index

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["index", "without"])
def any_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Search with the database's index, and as where there is none."""
    if request.param == "without":
        monkeypatch.setattr(search_index, "is_installed", lambda _connection: False)
        monkeypatch.setattr(module, "_hits", module._read_messages)
    return str(request.param)


def say(conversation: SmartConversation, *texts: str, **fields: Any) -> None:
    for text in texts:
        Message.objects.create(
            conversation=conversation, party="USER", content=text, **fields
        )


def keys(text: str, who: Who) -> list[int]:
    return [found.conversation.pk for found in search(text, who=who)]


def test_words_are_found_in_titles_and_messages(
    conversation: SmartConversation, parrot: Parrot, user: User, who: Who, any_way: str
) -> None:
    say(conversation, "Where do *parrots* live?", "In Africa, at example.org/birds.")
    other = SmartConversation.objects.create(
        parrot=parrot, user=user, title="About Äpfel and seeds"
    )
    assert keys("parrot", who) == [conversation.pk]
    assert keys("AFRICA birds", who) == [conversation.pk]
    assert keys("seeds", who) == [other.pk]
    if any_way == "index" and connection.vendor == "sqlite":
        # PostgreSQL knows upper and lower case by the locale of the database.
        assert keys("äpf", who) == [other.pk]
    assert keys("parrots africa", who) == []  # Not in one message.
    assert keys("nothing", who) == []


def test_only_ones_own_are_found(
    conversation: SmartConversation, parrot: Parrot, other_user: User, any_way: str
) -> None:
    say(conversation, "Needle")
    visitor = uuid.uuid4()
    strange = SmartConversation.objects.create(
        parrot=parrot, visitor=visitor, title="Needle"
    )
    say(strange, "Needle")
    assert keys("needle", Who(user=other_user)) == []
    assert keys("needle", Who(visitor=uuid.uuid4())) == []
    assert keys("needle", Who(visitor=visitor)) == [strange.pk]


def test_nobody_is_asked_to_sign_in() -> None:
    with pytest.raises(SignInRequired):
        search("needle", who=Who())


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "'", '"', "*", "!!!", "a:b & c | !d", "' OR 1=1 --", '") OR ("'),
        *("NEAR(", "\x00", "\ud800", "x" * 10_000, "a " * 5_000, "%", "_", "AND"),
        *("NOT", "🦜", "{}"),
    ],
)
def test_whatever_is_looked_for_breaks_nothing(
    conversation: SmartConversation, who: Who, any_way: str, text: str
) -> None:
    say(conversation, "Needle")
    assert keys(text, who) == []


def test_languages_without_spaces_are_found_too(
    conversation: SmartConversation, who: Who
) -> None:
    say(conversation, "鸚鵡喜歡吃水果和堅果。")
    (found,) = search("水果", who=who)
    assert [part.text for part in found.excerpt if part.is_word] == ["水果"]


def test_the_index_follows_what_happens(
    conversation: SmartConversation, who: Who
) -> None:
    say(conversation, "old words", status="complete")
    message = conversation.messages.get()
    Message.objects.filter(pk=message.pk).update(content="new words")
    assert keys("old", who) == []
    assert keys("new", who) == [conversation.pk]
    Message.objects.filter(pk=message.pk).update(content="written")
    shelf.rename(conversation, "first name", who=who)
    shelf.rename(conversation, "second name", who=who)
    assert keys("first", who) == []
    assert keys("second", who) == [conversation.pk]
    message.delete()
    assert keys("written", who) == []


def test_a_running_reply_is_found_when_it_has_ended(
    conversation: SmartConversation, who: Who
) -> None:
    reply = Message.objects.create(
        conversation=conversation, party="ASSISTANT", status="streaming", content="a"
    )
    running = Message.objects.filter(pk=reply.pk)
    running.update(content="a needle")
    running.update(status="complete")
    assert keys("needle", who) == [conversation.pk]


def test_a_common_word_is_found_behind_newer_messages_of_others(
    conversation: SmartConversation,
    parrot: Parrot,
    who: Who,
    other_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest = f"LIMIT {search_sql.NEWEST}"
    for name in ("SQLITE_NEWEST", "SQLITE_COUNT"):
        fewer = getattr(search_sql, name).replace(newest, "LIMIT 3")
        assert "LIMIT 3" in fewer
        monkeypatch.setattr(search_sql, name, fewer)
    monkeypatch.setattr(search_sql, "NEWEST", 3)
    say(conversation, "A word.", "The newest word.")
    strange = SmartConversation.objects.create(user=other_user, parrot=parrot)
    say(strange, *["Word by word."] * 4)
    for few in (search_sql.FEW, 0):
        monkeypatch.setattr(search_sql, "FEW", few)
        (found,) = search("word", who=who)
        assert found.conversation == conversation
        assert "newest" in "".join(part.text for part in found.excerpt)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own ways")
def test_lost_triggers_come_back_after_a_migration(
    conversation: SmartConversation, who: Who
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER polly_search_message_new")
    say(conversation, "needle")
    assert not search_index.is_installed(connection)
    assert keys("needle", who) == [conversation.pk]  # Read without the index.
    call_command("migrate", verbosity=0)
    assert search_index.is_installed(connection)
    assert keys("needle", who) == [conversation.pk]


def test_excerpts_stand_around_the_word_and_mark_it() -> None:
    text = "word " * 100 + "the **Needle** in [hay](https://x.org)" + " word" * 100
    parts = excerpt(text, ["needle"])
    assert [part.text for part in parts if part.is_word] == ["Needle"]
    whole = "".join(part.text for part in parts)
    assert "the Needle in hay" in whole
    assert whole.startswith("… word")
    assert whole.endswith("word …")
    assert len(whole) < 200


def test_excerpts_put_nothing_in_the_place_of_marks_around_words() -> None:
    text = "A *needle*: see [the **hay**](https://x.org/a), `stack`. | a | 2*3"
    whole = "".join(part.text for part in excerpt(text, ["needle"]))
    assert whole == "A needle: see the hay, stack. a 2 3"


def test_excerpts_mark_words_with_other_accents() -> None:
    parts = excerpt("Un café crème", ["cafe"])
    assert [part.text for part in parts if part.is_word] == ["café"]
