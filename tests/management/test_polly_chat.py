"""polly_chat: by a pipe, and by a person at a terminal."""

from __future__ import annotations

import subprocess
import uuid
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from polly_htmx.management.terminal import harmless
from polly_htmx.models import Message, Parrot, SmartConversation
from tests import terminals
from tests.live import scripted
from tests.patience import PATIENCE
from tests.rows import rows_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.live]

SHORT = scripted(text="I am **well**, thank you.")
LONG = scripted(text=[f"word{number} " for number in range(2000)], pace=0.02)


@pytest.fixture(autouse=True)
def scripted_parrot(parrot: Parrot) -> None:
    """Let the Parrot answer from the script that each process is given."""
    parrot.model = "SCRIPTED"
    parrot.save()


def piped(
    lines: str, *arguments: str, **polly: Any
) -> subprocess.CompletedProcess[str]:
    variables = terminals.environment(polly or SHORT, rows_of(connection))
    return terminals.piped(lines, arguments, variables)


def terminal(
    *arguments: str, **polly: Any
) -> AbstractContextManager[terminals.Terminal]:
    variables = terminals.environment(polly, rows_of(connection))
    return terminals.terminal(arguments, variables)


def test_what_a_terminal_would_obey_is_left_out() -> None:
    text = "a\x1b[31mb\x1b]0;title\x07c\x9bd\x00e\rf\u202eg\n\th\x7f"
    assert harmless(text) == "a[31mb]0;titlecdefg\n\th"
    assert harmless("Ünïcödé 日本 🦜") == "Ünïcödé 日本 🦜"


def test_lines_of_a_pipe_are_answered_plainly() -> None:
    done = piped("Hi\n\n/help\n/new\nAgain\n")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line == "I am **well**, thank you." for line in lines)
    assert done.stderr == ""
    assert not Message.objects.exists()


def test_hostile_answer_is_shown_as_text() -> None:
    done = piped("Hi\n", **scripted(text="\x1b]0;owned\x07 \x1b[2J bye"))
    assert done.stdout == "]0;owned [2J bye\n"


def test_failure_is_one_sentence_and_a_code() -> None:
    done = piped("Hi\n", **scripted(fault="unavailable"), RETRIES=0)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_chat_of_a_user_is_stored_as_a_page_stores_it(
    user: User, parrot: Parrot
) -> None:
    done = piped("Hi\nAnd?\n", "--user", user.username, "--parrot", "Polly")
    assert done.returncode == 0, done.stderr
    conversation = SmartConversation.objects.get()
    assert conversation.user == user
    messages = list(conversation.messages.order_by("sequence"))
    assert [message.content for message in messages[::2]] == ["Hi", "And?"]
    assert {message.status for message in messages[1::2]} == {"complete"}
    assert done.stdout.splitlines() == [each.content for each in messages[1::2]]


def test_conversation_goes_on(conversation: SmartConversation) -> None:
    key = str(conversation.external_id)
    done = piped("Hi\n", "--conversation", key)
    assert done.returncode == 0, done.stderr
    assert conversation.messages.get(party="USER").author == conversation.user


def test_stored_failure_is_told_too(user: User, parrot: Parrot) -> None:
    settings = scripted(fault="unavailable") | {"RETRIES": 0}
    done = piped("Hi\n", "--user", user.username, **settings)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert Message.objects.get(party="ASSISTANT").status == "failed"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--parrot", "Nobody"], "no Parrot"),
        (["--user", "nobody"], "no user"),
        (["--conversation", "7"], "takes an id"),
        (["--conversation", str(uuid.uuid4())], "no such conversation"),
    ],
)
def test_what_does_not_exist_is_told(arguments: list[str], reason: str) -> None:
    done = piped("Hi\n", *arguments)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_conversation_of_another_is_not_found(
    conversation: SmartConversation, other_user: User
) -> None:
    key = str(conversation.external_id)
    done = piped("Hi\n", "--conversation", key, "--user", other_user.username)
    assert "no such conversation" in done.stderr


def test_ctrl_c_stops_an_answer_and_then_leaves() -> None:
    with terminal(**LONG) as person:
        person.until("You: ")
        person.type("/stop")
        person.until("Nothing is being written.")
        person.until("You: ")
        person.type("Hi")
        person.until("word3 ")
        person.interrupt()
        person.until("(Stopped.)")
        person.until("You: ")
        person.leave()
        assert person.process.returncode == 0
        assert "Traceback" not in person.seen


def test_stop_of_a_stored_answer_keeps_its_text(user: User, parrot: Parrot) -> None:
    with terminal("--user", user.username, **LONG) as person:
        person.until("You: ")
        person.type("Hi")
        person.until("word3 ")
        person.interrupt()
        person.until("(Stopped.)")
        reply = Message.objects.get(party="ASSISTANT")
        assert reply.status == "stopped"
        assert reply.content.startswith("word0 word1 word2 word3 ")
        person.until("You: ")
        person.type("/quit")
        assert person.process.wait(PATIENCE) == 0


def test_past_of_a_conversation_is_shown(conversation: SmartConversation) -> None:
    key = str(conversation.external_id)
    assert piped("How are you?\n", "--conversation", key).returncode == 0
    with terminal("--conversation", key, **SHORT) as person:
        person.until("You: How are you?")
        person.until("Parrot: I am **well**, thank you.")
        person.until("You: ")
        person.type("/help")
        person.until("/quit")
        person.type("/quit")
        assert person.process.wait(PATIENCE) == 0
