"""Downloads: fetches a GGUF file, goes on where an earlier try ended, and checks it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from polly_htmx.llm.files import MAGIC
from polly_htmx.llm.folder import DownloadFailed, Part, path_of, readable

CHUNK = 2**16
MAX_REDIRECTS = 10
TIMEOUT = httpx.Timeout(30)
"""For a connection, and for silence in the middle of a file; not for the whole."""
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "polly-htmx"}

Progress = Callable[[int, int | None], None]
"""Is told the bytes that there are, and how many there will be where that is known."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file that is in its place."""

    path: Path
    size: int
    sha256: str
    is_checked: bool
    """Whether the checksum was compared with a known one."""
    was_there: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a file comes from, and what is known of it."""

    url: str
    sha256: str | None = None
    allows_http: bool = False
    """Whether anybody on the way may read and change it."""

    def check(self, url: httpx.URL) -> None:
        """Raise DownloadFailed for an address that is not to be asked."""
        schemes = {"https", "http"} if self.allows_http else {"https"}
        if url.scheme not in schemes or not url.host:
            raise DownloadFailed(
                f"{url.scheme or 'No scheme'}://{url.host} is refused: only https is "
                "safe. --insecure-http lifts that."
            )


def fetch(file: str, source: Source, progress: Progress) -> Fetched:
    """
    Bring a file into AI_MODELS_PATH, whole and checked, or not at all.

    Raises DownloadFailed. What came before a failure or Ctrl-C is kept beside it, and
    the same call goes on from there.
    """
    path = path_of(file)
    with Part(path) as part:
        if path.exists():
            return _checked(path, path, source, was_there=True)
        _transfer(part, source, progress)
        try:
            fetched = _checked(part.place, path, source)
        except DownloadFailed:
            part.drop()  # To go on from here would end here again.
            raise
        part.finish()
    return fetched


def _checked(
    lies_at: Path, path: Path, source: Source, *, was_there: bool = False
) -> Fetched:
    with lies_at.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if source.sha256 and found != source.sha256.lower():
        raise DownloadFailed(
            f"{path.name} is not the file that was meant: its SHA-256 is {found}, "
            f"and should be {source.sha256.lower()}."
            + (" Remove it first: --remove." if was_there else " Nothing is kept.")
        )
    return Fetched(
        path=path,
        size=lies_at.stat().st_size,
        sha256=found,
        is_checked=bool(source.sha256),
        was_there=was_there,
    )


def _transfer(part: Part, source: Source, progress: Progress) -> None:
    """Bring all bytes into the part."""
    with httpx.Client(timeout=TIMEOUT, headers=HEADERS) as client:
        try:
            with _answer(client, source, _how_to_go_on(part, source)) as answer:
                if answer.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return _take(part, source, answer, progress)
                if part.size == _whole(answer):
                    return None  # All but the last step was done.
            part.drop()
            with _answer(client, source, {}) as answer:
                return _take(part, source, answer, progress)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            kind = type(exc).__name__
    kept = f" {readable(part.size)} are kept: run it again to go on." * bool(part.size)
    raise DownloadFailed(f"The connection failed or broke off ({kind}).{kept}")


def _how_to_go_on(part: Part, source: Source) -> dict[str, str]:
    """Return the headers that ask for the rest, where there is a beginning of it."""
    origin = part.origin
    validator = origin.get("validator")
    if not part.size or origin.get("url") != source.url:
        return {}
    if validator:
        return {"Range": f"bytes={part.size}-", "If-Range": str(validator)}
    # Without a mark of its version only the checksum tells one file from two halves.
    return {"Range": f"bytes={part.size}-"} if source.sha256 else {}


@contextmanager
def _answer(
    client: httpx.Client, source: Source, headers: dict[str, str]
) -> Iterator[httpx.Response]:
    """Ask, and follow redirects as far as they are safe."""
    request: httpx.Request | None = client.build_request(
        "GET", source.url, headers=headers
    )
    for _hop in range(MAX_REDIRECTS):
        assert request is not None  # noqa: S101  (for the type checker)
        source.check(request.url)
        answer = client.send(request, stream=True)
        try:
            if not answer.has_redirect_location:
                yield answer
                return
            request = answer.next_request
        finally:
            answer.close()
    raise DownloadFailed("The server redirects without end.")


def _take(
    part: Part, source: Source, answer: httpx.Response, progress: Progress
) -> None:
    if answer.status_code == HTTPStatus.OK:
        part.begin({"url": source.url, "validator": _validator(answer)})
    elif answer.status_code != HTTPStatus.PARTIAL_CONTENT:
        raise DownloadFailed(f"The server answered with status {answer.status_code}.")
    elif not _starts_at(answer, part.size):
        part.drop()
        raise DownloadFailed("The server sent another part than it was asked for.")
    total = _whole(answer)
    part.make_room((total or part.size) - part.size)
    progress(part.size, total)
    for chunk in answer.iter_raw(CHUNK):
        if not part.size and not chunk.startswith(MAGIC):
            part.drop()
            raise DownloadFailed("What the server sends is not a GGUF file.")
        part.write(chunk)
        progress(part.size, total)
    if not part.size or (total is not None and part.size != total):
        raise DownloadFailed(
            f"The file is not whole: {part.size} of {total or '?'} bytes came. "
            "Run it again to go on."
        )


def _validator(answer: httpx.Response) -> str | None:
    """Return what marks this version of the file; a weak ETag doesn't."""
    tag: str = answer.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    modified: str | None = answer.headers.get("Last-Modified")
    return modified


def _whole(answer: httpx.Response) -> int | None:
    """Return the size of the whole file, where the server says it."""
    said = answer.headers.get("Content-Range", "").rpartition("/")[2]
    if answer.status_code == HTTPStatus.OK:
        said = answer.headers.get("Content-Length", "")
    return int(said) if re.fullmatch(r"[0-9]{1,18}", said) else None


def _starts_at(answer: httpx.Response, offset: int) -> bool:
    return bool(
        offset
        and answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
    )
