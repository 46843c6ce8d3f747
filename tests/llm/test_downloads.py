"""Downloads from a real server, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from pytest_django import Settings

from polly_htmx.llm import folder
from polly_htmx.llm.catalogue import OFFERS
from polly_htmx.llm.downloads import Fetched, Source, fetch
from polly_htmx.llm.folder import DownloadFailed, Part
from tests import hub
from tests.patience import PATIENCE

DATA = b"GGUF" + bytes(range(256)) * 4000
SHA = hashlib.sha256(DATA).hexdigest()
FILE = "m.gguf"


@pytest.fixture
def models(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "models"
    settings.POLLY = {"AI_MODELS_PATH": path}
    return path


@pytest.fixture
def server(models: Path) -> Iterator[hub.Hub]:
    with hub.Hub(hub.whole(DATA)) as server:
        yield server


def get(server: hub.Hub, sha256: str | None = SHA) -> Fetched:
    source = Source(url=server.url, sha256=sha256, allows_http=True)
    return fetch(FILE, source, lambda done, total: None)


def names(models: Path) -> list[str]:
    return sorted(path.name for path in models.iterdir())


def test_file_is_in_its_place_whole_and_checked(server: hub.Hub, models: Path) -> None:
    told: list[tuple[int, int | None]] = []
    source = Source(url=server.url, sha256=SHA.upper(), allows_http=True)
    fetched = fetch(FILE, source, lambda *each: told.append(each))
    assert (models / FILE).read_bytes() == DATA
    assert fetched.is_checked
    assert fetched.sha256 == SHA
    assert names(models) == [FILE]
    assert told[0] == (0, len(DATA))
    assert told[-1] == (len(DATA), len(DATA))


def test_file_that_is_there_is_not_fetched_again(server: hub.Hub) -> None:
    get(server)
    assert get(server).was_there
    assert len(server.asked) == 1


def test_file_that_is_there_and_another_one_stays(
    server: hub.Hub, models: Path
) -> None:
    models.mkdir()
    (models / FILE).write_bytes(b"GGUF and other")
    with pytest.raises(DownloadFailed, match="--remove"):
        get(server)
    assert (models / FILE).read_bytes() == b"GGUF and other"


def test_checksum_is_computed_where_none_is_known(server: hub.Hub) -> None:
    fetched = get(server, sha256=None)
    assert not fetched.is_checked
    assert fetched.sha256 == SHA


def test_download_goes_on_where_it_broke_off(server: hub.Hub, models: Path) -> None:
    server.answer = hub.broken_off(DATA, 300_000)
    with pytest.raises(DownloadFailed, match="kept"):
        get(server)
    kept = (models / f"{FILE}.part").stat().st_size
    assert 0 < kept <= 300_000
    server.answer = hub.whole(DATA)
    get(server)
    assert server.asked[-1]["range"] == f"bytes={kept}-"
    assert server.asked[-1]["if-range"] == '"one"'
    assert (models / FILE).read_bytes() == DATA


def test_download_begins_anew_when_the_server_has_another_version(
    server: hub.Hub, models: Path
) -> None:
    server.answer = hub.broken_off(b"GGUF" + b"old" * 200_000, 300_000, etag='"old"')
    with pytest.raises(DownloadFailed):
        get(server)
    server.answer = hub.whole(DATA)
    get(server)
    assert (models / FILE).read_bytes() == DATA


def test_download_begins_anew_when_the_server_knows_no_ranges(
    server: hub.Hub, models: Path
) -> None:
    server.answer = hub.broken_off(DATA, 300_000)
    with pytest.raises(DownloadFailed):
        get(server)
    server.answer = hub.whole(DATA, ranges=False)
    get(server)
    assert (models / FILE).read_bytes() == DATA


def test_download_whose_last_step_was_missing_is_finished(
    server: hub.Hub, models: Path
) -> None:
    models.mkdir()
    with Part(models / FILE) as part:
        part.begin({"url": server.url, "validator": '"one"'})
        part.write(DATA)
    get(server)
    assert names(models) == [FILE]
    assert len(server.asked) == 1


def test_part_that_is_longer_than_the_file_is_dropped(
    server: hub.Hub, models: Path
) -> None:
    models.mkdir()
    with Part(models / FILE) as part:
        part.begin({"url": server.url, "validator": '"one"'})
        part.write(DATA + b"more")
    get(server)
    assert (models / FILE).read_bytes() == DATA


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (hub.page(404, b"GGUF, you think?"), "status 404"),
        (hub.page(200, b"<html>Sign in"), "not a GGUF"),
        (hub.page(200, b""), "not whole"),
        (hub.page(206, b"GGUF"), "another part"),
        (hub.redirect("/again"), "without end"),
    ],
)
def test_nothing_is_kept_of_what_is_no_model(
    server: hub.Hub, models: Path, answer: hub.Answer, said: str
) -> None:
    server.answer = answer
    with pytest.raises(DownloadFailed, match=said):
        get(server)
    assert names(models) == []


def test_wrong_checksum_leaves_nothing_behind(server: hub.Hub, models: Path) -> None:
    with pytest.raises(DownloadFailed, match="SHA-256"):
        get(server, sha256="0" * 64)
    assert names(models) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/m.gguf", "ftp://h/m", "m.gguf"])
def test_only_https_is_asked(models: Path, url: str) -> None:
    with pytest.raises(DownloadFailed, match="https"):
        fetch(FILE, Source(url=url), lambda done, total: None)
    assert names(models) == []


def test_redirect_is_followed_to_safe_addresses_only(
    server: hub.Hub, models: Path
) -> None:
    class Strict(Source):
        """Takes the first address, as if it were https, and then what all take."""

        def check(self, url: object) -> None:
            if str(url) != self.url:
                super().check(url)  # type: ignore[arg-type]

    server.answer = hub.redirect("http://127.0.0.1:1/m.gguf")
    with pytest.raises(DownloadFailed, match="https"):
        fetch(FILE, Strict(url=server.url), lambda done, total: None)
    assert not (models / FILE).exists()


def test_range_goes_along_with_a_redirect(server: hub.Hub, models: Path) -> None:
    server.answer = hub.broken_off(DATA, 300_000)
    with pytest.raises(DownloadFailed):
        get(server)
    with hub.Hub(hub.whole(DATA)) as store:
        server.answer = hub.redirect(store.url)
        get(server)
        assert "range" in store.asked[0]
    assert (models / FILE).read_bytes() == DATA


@pytest.mark.parametrize(
    "name",
    ["../m.gguf", "/m.gguf", "a/b.gguf", ".gguf", "m.bin", "", "m.gguf\n", "é.gguf"],
)
def test_name_that_leads_elsewhere_is_refused(models: Path, name: str) -> None:
    with pytest.raises(DownloadFailed, match="no name"):
        fetch(name, Source(url="https://h/m"), lambda done, total: None)
    assert not models.exists()


def test_part_that_is_a_link_is_not_followed(
    server: hub.Hub, models: Path, tmp_path: Path
) -> None:
    models.mkdir()
    (tmp_path / "precious").write_text("precious")
    (models / f"{FILE}.part").symlink_to(tmp_path / "precious")
    with pytest.raises(DownloadFailed, match="could not be written"):
        get(server)
    assert (tmp_path / "precious").read_text() == "precious"


def test_second_download_of_a_file_is_refused_while_one_runs(
    server: hub.Hub, models: Path
) -> None:
    with Part(folder.path_of(FILE)), pytest.raises(DownloadFailed, match="Another"):
        get(server)
    assert get(server).is_checked  # What was left is nobody's.


def test_disk_that_is_too_small_is_told_at_once(
    server: hub.Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int = len(DATA)

    # Filling a real disk is no option.
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage())
    with pytest.raises(DownloadFailed, match="too small"):
        get(server)
    assert not (models / FILE).exists()


FULL = """
import resource, sys
from django.conf import settings
settings.configure(POLLY={"AI_MODELS_PATH": sys.argv[1]})
from polly_htmx.llm.downloads import Source, fetch
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
source = Source(url=sys.argv[2], allows_http=True)
try:
    fetch("m.gguf", source, lambda done, total: None)
except Exception as exc:
    print(type(exc).__name__, exc)
"""


def test_disk_that_fills_up_keeps_what_has_come(server: hub.Hub, models: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(models), server.url],
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("DownloadFailed The disk is full. 200 kB are kept")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200_000
    get(server)
    assert server.asked[-1]["range"] == "bytes=200000-"
    assert (models / FILE).read_bytes() == DATA


def test_server_that_is_away_is_told(server: hub.Hub, models: Path) -> None:
    source = Source(url="http://127.0.0.1:1/m.gguf", allows_http=True)
    with pytest.raises(DownloadFailed, match="ConnectError"):
        fetch(FILE, source, lambda done, total: None)


def test_file_is_removed_with_what_belongs_to_it(server: hub.Hub, models: Path) -> None:
    server.answer = hub.broken_off(DATA, 300_000)
    with pytest.raises(DownloadFailed):
        get(server)
    assert folder.listing()[0][0] == f"{FILE}.part"
    folder.remove(FILE)
    assert names(models) == []
    with pytest.raises(DownloadFailed, match="There is no"):
        folder.remove(FILE)


def test_catalogue_is_sound() -> None:
    for name, offer in OFFERS.items():
        assert offer.name == name
        folder.path_of(offer.file)
        Source(url=offer.url).check(httpx.URL(offer.url))
        assert offer.sha256 is None or len(bytes.fromhex(offer.sha256)) == 32
        assert len(offer.revision) == 40


def test_catalogue_knows_the_embedded_model() -> None:
    from polly_htmx.llm import LLMModelType, files  # noqa: PLC0415

    offer = OFFERS["smollm2-135m"]
    assert offer.file == LLMModelType.SMOLLM2_135M_INSTRUCT.file
    path = files.find(offer.file)
    assert path is not None
    assert path.stat().st_size == offer.size
    with path.open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == offer.sha256


def test_threads_do_not_share_a_lock(server: hub.Hub) -> None:
    until = threading.Event()
    server.answer = hub.stalled(DATA, 300_000, until)
    begun = threading.Event()

    def first() -> None:
        source = Source(url=server.url, allows_http=True)
        with contextlib.suppress(DownloadFailed):
            fetch(FILE, source, lambda done, total: begun.set())

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(PATIENCE)
    with pytest.raises(DownloadFailed, match="Another process"):
        get(server)
    until.set()
    thread.join()
