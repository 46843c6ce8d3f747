"""The folder of GGUF files: which names are allowed there, and who may write."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from polly_htmx.conf import conf

try:
    import fcntl
except ImportError:  # Windows: there two downloads of one file are not told apart.
    fcntl = None  # type: ignore[assignment]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\.gguf")
PART = ".part"
ORIGIN = ".origin"
SPARE = 64 * 2**20
"""Bytes that a download leaves free on the disk: others write there too."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DownloadFailed(Exception):
    """A file could not be fetched, kept or removed; the text says why, in English."""


def path_of(name: str) -> Path:
    """Return where a file of this name lies; raise DownloadFailed for a bad name."""
    if not NAME.fullmatch(name):
        raise DownloadFailed(
            f"{name!r} is no name for a model's file: it takes letters, digits and "
            "._+- only, and ends in .gguf."
        )
    return conf.AI_MODELS_PATH / name


def listing() -> list[tuple[str, int]]:
    """Return the names and sizes of the files there, those half fetched among them."""
    folder = conf.AI_MODELS_PATH
    if not folder.is_dir():
        return []
    kinds = (".gguf", f".gguf{PART}")
    found = [path for path in folder.iterdir() if path.name.endswith(kinds)]
    return sorted((path.name, path.stat().st_size) for path in found if path.is_file())


def remove(name: str) -> None:
    """Remove a file, and what was fetched of it; raise DownloadFailed if nothing is."""
    path = path_of(name)
    pieces = [path, path.with_name(name + PART), path.with_name(name + ORIGIN)]
    if not any(piece.is_file() for piece in pieces):
        raise DownloadFailed(f"There is no {name} in {path.parent}.")
    with Part(path):
        for piece in pieces:
            piece.unlink(missing_ok=True)


def readable(size: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


class Part:
    """
    A file while it is fetched, beside its later place.

    The lock on it ends with the process, however that ends, so none is ever left over.
    Raises DownloadFailed when another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._part = path.with_name(path.name + PART)
        self._origin = path.with_name(path.name + ORIGIN)
        self._file = -1

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            while not self._is_ours():
                pass
        except OSError as exc:
            raise self.problem(exc) from None
        self.size = os.fstat(self._file).st_size
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # One that stands for nothing is not kept.
            if not os.fstat(self._file).st_size:
                self._part.unlink(missing_ok=True)
                self._origin.unlink(missing_ok=True)
        os.close(self._file)

    def _is_ours(self) -> bool:
        """Open and lock the file; False if another has moved it away meanwhile."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.open(self._part, flags | getattr(os, "O_BINARY", 0), 0o644)
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(self._file), self._part.stat()):
                return True
        except BlockingIOError:
            os.close(self._file)
            name = self.path.name
            raise DownloadFailed(f"Another process fetches {name} already.") from None
        except FileNotFoundError:
            pass
        os.close(self._file)
        return False

    @property
    def place(self) -> Path:
        """Where the bytes are, until the file is whole."""
        return self._part

    @property
    def origin(self) -> dict[str, Any]:
        """Where the beginning came from: url and validator, as they were given."""
        with suppress(OSError, ValueError):
            known = json.loads(self._origin.read_text())
            return known if isinstance(known, dict) else {}
        return {}

    def begin(self, origin: dict[str, Any]) -> None:
        """Drop what there is, for a beginning that comes from this origin."""
        self.truncate()
        try:
            self._origin.write_text(json.dumps(origin))
        except OSError as exc:
            raise self.problem(exc) from None

    def truncate(self) -> None:
        """Drop what there is."""
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self.size = 0

    def make_room(self, more: int) -> None:
        """Raise DownloadFailed unless the disk has room for so many bytes more."""
        free = shutil.disk_usage(self.path.parent).free
        if free < more + SPARE:
            raise DownloadFailed(
                f"The disk is too small: {readable(more)} are to come, and of "
                f"{readable(free)} that are free {readable(SPARE)} stay so."
            )

    def write(self, data: bytes) -> None:
        """Add some bytes at the end; raise DownloadFailed when the disk is full."""
        try:
            os.lseek(self._file, self.size, os.SEEK_SET)
            while data:
                written = os.write(self._file, data)
                self.size += written
                data = data[written:]
        except OSError as exc:
            raise self.problem(exc) from None

    def problem(self, exc: OSError) -> DownloadFailed:
        """Return what an error of the disk means."""
        if exc.errno in FULL:
            return DownloadFailed(
                f"The disk is full. {readable(self.size)} are kept: make room, and "
                "run the same command to go on from there."
            )
        where = self.path.parent
        return DownloadFailed(f"{where} could not be written to: {exc.strerror}.")

    def drop(self) -> None:
        """Forget all that was fetched."""
        self.truncate()
        self._origin.unlink(missing_ok=True)

    def finish(self) -> None:
        """Put the file into its place, in one step."""
        try:
            os.fsync(self._file)
            self._part.replace(self.path)
        except OSError as exc:
            raise self.problem(exc) from None
        self._origin.unlink(missing_ok=True)
