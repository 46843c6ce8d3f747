"""The frames of thoughts: escaped, in lots that fit, and the same live and loaded."""

from __future__ import annotations

from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from polly_htmx import fragments
from polly_htmx.access import Who
from polly_htmx.chat import take_turn
from polly_htmx.chat.conversations import newest_page
from polly_htmx.chat.events import ReplyGrew
from polly_htmx.fragments.thoughts import lots
from polly_htmx.markdown import VerbatimStream, verbatim
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.corpus import XSS, Entry
from tests.dom import parse
from tests.fragments.test_parcels import LIMIT, assert_shown
from tests.fragments.test_replies import page_of

pytestmark = pytest.mark.django_db

LONG = 'Is "one" < two & three? \n' * 6_000


@pytest.fixture
def reply(conversation: SmartConversation) -> Message:
    """Return an answer with thoughts, as a follower gets it."""
    turn = take_turn(conversation, "Hello", who=Who(user=conversation.user))
    assert turn.reply is not None
    return think(turn.reply, "Let me <b>see</b>.", "Fine.", "complete")


def think(reply: Message, thoughts: str, text: str, status: str) -> Message:
    """Change what is stored, and return it with all that a fragment needs."""
    Message.objects.filter(pk=reply.pk).update(
        reasoning=thoughts, content=text, status=status
    )
    rows = Message.objects.select_related("conversation__parrot", "version__parrot")
    return rows.get(pk=reply.pk)


def event(reply: Message, **fields: object) -> ReplyGrew:
    """Return an event that tells only this."""
    values: dict[str, object] = {
        "reply_id": reply.pk,
        "reply": str(reply.external_id),
        "run": "run",
        "number": 2,
        "closed": "",
        "tail": None,
        "kind": "",
        "grown": "",
        "open": None,
    }
    return ReplyGrew(**{**values, **fields})  # type: ignore[arg-type]


def test_thoughts_stand_closed_before_the_answer(
    conversation: SmartConversation, reply: Message
) -> None:
    article = page_of(conversation).element(f"polly-message-{reply.external_id}")
    details = article.find(f"polly-thoughts-{reply.external_id}")
    assert details is not None
    assert details.tag == "details"
    assert "open" not in details.attributes
    [summary] = [node for node in details.walk() if node.tag == "summary"]
    assert summary.text.strip() == "Thoughts"
    assert "Let me <b>see</b>." in details.text
    content = article.find(f"polly-content-{reply.external_id}")
    assert content is not None
    assert details.parent is content.parent
    assert details.place < content.place
    assert "see" not in content.text


def test_label_says_for_how_long_once_that_is_known(
    conversation: SmartConversation, reply: Message
) -> None:
    def label() -> str:
        shown = page_of(conversation).element(f"polly-thinking-{reply.external_id}")
        return shown.text.strip()

    for seconds, text in ((0, "Thoughts"), (7, "Thought for 7 s")):
        Message.objects.filter(pk=reply.pk).update(thought_seconds=seconds)
        assert label() == text
    with translation.override("de"):
        assert label() == "7 s nachgedacht"
    think(reply, "Let me see.", "Fine.", "streaming")
    assert label() == "Thoughts", "It may think on, and the last word is not said."


def test_end_tells_a_page_in_step_for_how_long_and_of_hidden_thoughts_nothing(
    conversation: SmartConversation, reply: Message
) -> None:
    reply.thought_seconds = 7
    frame = "".join(fragments.closed_parcels(conversation, reply, closed=""))
    assert "Thought for 7 s" in frame
    Parrot.objects.update(shows_thinking=False)
    hidden = think(reply, "A CANARY.", "Fine.", "complete")
    hidden.thought_seconds = 7
    frame = "".join(fragments.closed_parcels(conversation, hidden, closed=""))
    assert "Thought" not in frame
    assert f"polly-thinking-{reply.external_id}" not in frame


def test_running_reply_says_that_it_thinks_until_there_is_text(
    conversation: SmartConversation, reply: Message
) -> None:
    think(reply, "Let me see.", "", "streaming")
    log = page_of(conversation).log(str(conversation.external_id))
    assert log.text.count("Thinking…") == 2, "The label, and the place of the dots."
    assert "Writing" not in log.text
    frame = fragments.snapshot(conversation, newest_page(conversation).messages)
    assert "Polly is thinking." in frame
    think(reply, "Let me see.", "Fine.", "streaming")
    log = page_of(conversation).log(str(conversation.external_id))
    assert "Thinking" not in log.text


def test_answer_without_thoughts_says_nothing_of_them(
    conversation: SmartConversation, reply: Message
) -> None:
    think(reply, "", "Fine.", "complete")
    assert (
        "thought" not in page_of(conversation).log(str(conversation.external_id)).html
    )


def test_hidden_thoughts_are_on_no_page(
    conversation: SmartConversation,
    reply: Message,
    signed_in: Client,
    admin_client: Client,
) -> None:
    Parrot.objects.update(shows_thinking=False)
    hidden = think(reply, "A CANARY.", "Fine.", "complete")
    address = reverse(
        "admin:polly_htmx_smartconversation_transcript", args=[conversation.pk]
    )
    pages = [
        signed_in.get(conversation.get_absolute_url()).content.decode(),
        admin_client.get(address).content.decode(),
        *fragments.ended_parcels(conversation, hidden, html=None),
        *fragments.snapshot_parcels(conversation, [hidden]),
    ]
    for page in pages:
        assert "Fine." in page
        assert "CANARY" not in page
    Parrot.objects.update(shows_thinking=True)
    for client, where in [
        (signed_in, conversation.get_absolute_url()),
        (admin_client, address),
    ]:
        assert "CANARY" in client.get(where).content.decode()


def test_page_with_thoughts_takes_no_more_queries(
    conversation: SmartConversation,
    reply: Message,
    signed_in: Client,
) -> None:
    counts = []
    for thoughts in ("", "Let me see."):
        think(reply, thoughts, "Fine.", "complete")
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(conversation.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("entry", XSS, ids=str)
def test_hostile_thoughts_are_nothing_but_text(entry: Entry) -> None:
    shown = parse(f"<div>{verbatim(entry.text)}</div>").children[0]
    assert not isinstance(shown, str)
    assert [*shown.walk()] == [shown]


def test_pieces_make_the_whole_wherever_they_are_cut() -> None:
    text = 'a\r\n<b>\u202e&amp;\r\r\n\x00"\U000e0041end\r'
    for cut in range(len(text) + 1):
        stream = VerbatimStream()
        pieces = [stream.feed(text[:cut]), stream.feed(text, is_whole=True)]
        assert "".join(pieces) == verbatim(text)
    assert "\u202e" not in verbatim(text)


@pytest.mark.parametrize(
    "text", ["&" * 9_999 + "<>\"'" * 9_000, "ä&" * 20_000, "", "x"]
)
def test_lots_are_cut_between_characters(text: str) -> None:
    found = lots(str(escape(text)))
    assert "".join(map(unescape, found)) == text
    assert all(len(lot.encode()) <= 40_000 for lot in found)
    assert len(found) >= 1


def test_long_thoughts_go_in_frames_that_a_server_lets_pass(
    conversation: SmartConversation, reply: Message
) -> None:
    text = "A paragraph.\n\n" * 4_000
    long = think(reply, LONG, text, "complete")
    path = Message.objects.path_to(long.pk, limit=2)
    for frames in (
        fragments.snapshot_parcels(conversation, path),
        fragments.ended_parcels(conversation, long, html=None),
        fragments.ended_parcels(conversation, long, html=str(long.html)),
    ):
        assert_shown(conversation, page_of(conversation), frames)
    running = think(reply, LONG, text, "streaming")
    page = page_of(conversation)
    for frame in fragments.snapshot_parcels(conversation, [running]):
        assert len(frame.encode()) < LIMIT
        page.apply(frame)
    assert page.element(f"polly-thought-{reply.external_id}").text == LONG


def test_long_pieces_of_thought_go_in_frames_that_a_server_lets_pass(
    conversation: SmartConversation, reply: Message
) -> None:
    fresh = think(reply, "", "", "streaming")
    page = page_of(conversation)
    piece = str(verbatim(LONG))
    first = event(fresh, thought=piece, opens=True, phase="thinking")
    stopped = think(fresh, LONG * 3, "", "stopped")
    frames = [
        fragments.reply_streaming(conversation, fresh, closed="", tail=""),
        *fragments.phase_parcels(conversation, fresh, first),
        *fragments.grew_parcels(first),
        *fragments.grew_parcels(event(fresh, thought=piece, number=3)),
        *fragments.closed_parcels(
            conversation, stopped, closed="", thought=piece, was_thinking=True
        ),
    ]
    assert_shown(conversation, page, frames)


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("waking", "Waking up the model…"),
        ("thinking", "Polly is thinking."),
        ("", "Polly is answering."),
    ],
)
def test_phase_is_said_once_and_moves_no_focus(
    conversation: SmartConversation, reply: Message, phase: str, words: str
) -> None:
    frames = fragments.phase_parcels(conversation, reply, event(reply, phase=phase))
    assert len(frames) == 1
    status = f'<p id="polly-status-{conversation.short_id}"'
    assert frames[0].count(status) == 1
    assert words in frames[0]
    # A button that is put in its own place loses the focus.
    assert "<button" not in frames[0]
    assert "polly-thinking-" not in frames[0]
