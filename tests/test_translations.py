"""The catalogues: all texts of the source, none guessed, compiled, with their gaps."""

from __future__ import annotations

import gettext
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from polly_htmx.exceptions import MessageTooLong, NotFound, QueueFull
from polly_htmx.models import Message, SmartConversation
from scripts.messages import PACKAGE, SANDBOX, catalogues, compile_catalogue, main, read
from scripts.system import require_gettext

CATALOGUES = [*catalogues(PACKAGE), *catalogues(SANDBOX)]
GAP = re.compile(r"%\(\w+\)[ds]|\{\w+\}|\((?:used|limit)\)")
"""What a text leaves open: Django's two ways, and that of the counter in the page."""
every_catalogue = pytest.mark.parametrize(
    "path", CATALOGUES, ids=lambda path: f"{path.parts[-5]}-{path.parts[-3]}"
)


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    require_gettext()


def compiled(path: Path) -> dict[object, str]:
    """Return the texts of a compiled catalogue, without what it says of itself."""
    with path.open("rb") as file:
        found: dict[object, str] = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    found.pop("", None)
    return found


def copied(package: Path, folder: Path) -> Path:
    """Return a copy of a package: others read the real one meanwhile."""
    left_out = shutil.ignore_patterns("__pycache__", "*.pot", "data")
    return Path(shutil.copytree(package, folder / package.name, ignore=left_out))


def test_there_is_one_full_translation() -> None:
    for package in (PACKAGE, SANDBOX):
        assert "de" in [path.parts[-3] for path in catalogues(package)]


@every_catalogue
def test_catalogue_holds_all_texts_of_the_source(path: Path, tmp_path: Path) -> None:
    package = path.parents[3]
    copy = copied(package, tmp_path)
    read(copy, path.parent.parent.name)
    fresh = compile_catalogue(copy / path.relative_to(package), tmp_path / "fresh.mo")
    assert re.fullmatch(r"\d+ translated messages\.", fresh), (
        f"{fresh} Run `make messages`, and translate what it says is left."
    )
    # Also none that the source has dropped.
    assert compiled(tmp_path / "fresh.mo") == compiled(path.with_suffix(".mo"))


@every_catalogue
def test_catalogue_is_compiled_as_it_stands(path: Path, tmp_path: Path) -> None:
    compile_catalogue(path, tmp_path / "fresh.mo")
    fresh = compiled(tmp_path / "fresh.mo")
    assert fresh == compiled(path.with_suffix(".mo")), "Run `make messages`."
    assert "#, fuzzy" not in path.read_text()


@every_catalogue
def test_translations_keep_the_gaps(path: Path) -> None:
    for text, said in compiled(path.with_suffix(".mo")).items():
        source = text[0] if isinstance(text, tuple) else str(text)
        assert sorted(GAP.findall(source)) == sorted(GAP.findall(said)), source
        assert source.startswith(" ") == said.startswith(" ")


def test_new_and_dropped_texts_are_found(tmp_path: Path) -> None:
    package = tmp_path / "polly_htmx"
    catalogue = package / "locale" / "de" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    shutil.copy(next(p for p in catalogues(PACKAGE) if "/de/" in str(p)), catalogue)
    (package / "new.py").write_text('gettext("Please try once again.")\n')
    read(package, "de")
    account = compile_catalogue(catalogue, tmp_path / "new.mo")
    assert account == "0 translated messages, 1 untranslated message."


def test_nothing_changes_where_nothing_is_new(tmp_path: Path) -> None:
    copy = copied(PACKAGE, tmp_path)
    before = [path.read_text() for path in catalogues(PACKAGE)]
    main([], copy)
    assert [path.read_text() for path in catalogues(copy)] == before


def test_broken_gap_does_not_compile(tmp_path: Path) -> None:
    broken = tmp_path / "django.po"
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    text = '#, python-format\nmsgid "By %(name)s"\nmsgstr "Von %(other)s"\n'
    broken.write_text(f"{head}\n{text}")
    with pytest.raises(SystemExit, match="'name' doesn't exist"):
        compile_catalogue(broken, tmp_path / "django.mo")


def test_refusals_speak_the_language_of_who_reads_them() -> None:
    length, one, many = MessageTooLong(9, 8), QueueFull(1), QueueFull(3)
    with translation.override("de"):
        assert str(NotFound.user_message) == "Dieser Chat wurde nicht gefunden."
        assert str(length.user_message) == (
            "Die Nachricht hat 9 Zeichen; höchstens 8 sind erlaubt. Bitte kürzen."
        )
        assert "Es wartet schon 1 Nachricht." in str(one.user_message)
        assert "Es warten schon 3 Nachrichten." in str(many.user_message)
    assert "3 messages are waiting" in str(many.user_message)


@pytest.mark.django_db
def test_page_and_its_times_speak_the_language_of_its_reader(
    conversation: SmartConversation, signed_in: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "UTC"
    moment = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)
    Message.objects.create(conversation=conversation, party="USER", content="Hallo")
    Message.objects.update(created_at=moment)
    SmartConversation.objects.update(current=Message.objects.get())
    address = conversation.get_absolute_url()
    german = signed_in.get(address, headers={"accept-language": "de"}).content.decode()
    english = signed_in.get(address).content.decode()
    assert '<html lang="de" dir="ltr">' in german
    assert ">Senden</button>" in german
    assert ">Send</button>" not in german
    assert ">Send</button>" in english
    assert ">14:05</time>" in german
    assert 'title="9. März 2026 14:05"' in german
    assert ">2:05 p.m.</time>" in english


@pytest.mark.django_db
def test_dates_of_the_list_follow_the_language(
    conversation: SmartConversation, signed_in: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "UTC"
    moment = datetime(2025, 3, 9, 14, 5, tzinfo=UTC)
    SmartConversation.objects.update(updated_at=moment)
    german = signed_in.get("/polly/", headers={"accept-language": "de"})
    assert ">09.03.2025 14:05</time>" in german.content.decode()
    assert ">März 2025</h2>" in german.content.decode()
    arabic = signed_in.get("/polly/", headers={"accept-language": "ar"})
    assert '<html lang="ar" dir="rtl">' in arabic.content.decode()
