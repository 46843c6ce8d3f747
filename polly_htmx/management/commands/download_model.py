"""manage.py download_model: fetch, list and remove the files of local models."""

from __future__ import annotations

import re
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from polly_htmx.conf import conf
from polly_htmx.llm import folder
from polly_htmx.llm.catalogue import OFFERS
from polly_htmx.llm.downloads import Fetched, Source, fetch

STEP = 5.0
"""Seconds between two lines about a download where there is no terminal."""
BLINK = 0.1
WIDTH = 30


class Command(BaseCommand):
    """Talks; the work is done in polly_htmx.llm.downloads."""

    help = (
        "Fetches the GGUF file of a local model into AI_MODELS_PATH: one that --list "
        "names, or any URL. Ctrl-C keeps what has come, and the same command goes on."
    )
    requires_system_checks: list[str] = []  # They complain that the file is missing.

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument("name", nargs="?", help="of --list, or the file's own name")
        parser.add_argument("url", nargs="?", help="where a file of another name lies")
        parser.add_argument("--sha256", help="the checksum that a URL's file must have")
        parser.add_argument("--list", action="store_true", help="what there is")
        parser.add_argument("--remove", metavar="FILE", help="remove a file")
        parser.add_argument(
            "--insecure-http",
            action="store_true",
            help="take http: anybody on the way may change the file",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        try:
            if options["list"]:
                self._list()
            elif options["remove"]:
                folder.remove(options["remove"])
                self.stdout.write(f"Removed {options['remove']}.")
            else:
                self._download(options)
        except folder.DownloadFailed as exc:
            self._end_line()
            raise CommandError(str(exc)) from None
        except OSError as exc:
            self._end_line()
            raise CommandError(f"{conf.AI_MODELS_PATH}: {exc.strerror}.") from None
        except KeyboardInterrupt:
            self._end_line()
            raise CommandError(
                "Stopped. What has come is kept: run the same command to go on.",
                returncode=130,
            ) from None

    def _download(self, options: dict[str, Any]) -> None:
        file, source = self._wanted(options)
        self.stdout.write(f"Fetching {file} from {source.url}")
        self._begun = self._told = time.monotonic()
        self._begun_at: int | None = None
        fetched = fetch(file, source, self._progress)
        self._end_line()
        self._tell(file, fetched)

    def _wanted(self, options: dict[str, Any]) -> tuple[str, Source]:
        name, url, sha256 = options["name"], options["url"], options["sha256"]
        if sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            raise CommandError("--sha256 takes 64 hexadecimal digits.")
        insecure = options["insecure_http"]
        if name and url:
            return name, Source(url=url, sha256=sha256, allows_http=insecure)
        if name not in OFFERS:
            names = ", ".join(OFFERS)
            raise CommandError(f"Give the name of a model ({names}), or FILE and URL.")
        offer = OFFERS[name]
        known = sha256 or offer.sha256
        return offer.file, Source(url=offer.url, sha256=known, allows_http=insecure)

    def _tell(self, file: str, fetched: Fetched) -> None:
        what = "It was there already" if fetched.was_there else "It is in its place"
        compared = "as it should be" if fetched.is_checked else "compared with nothing"
        self.stdout.write(f"{what}: {fetched.path} ({folder.readable(fetched.size)})")
        self.stdout.write(f"SHA-256, {compared}: {fetched.sha256}")
        self.stdout.write(f'Use it by POLLY["MODELS"]: "MINE": {{"file": "{file}"}}')

    def _list(self) -> None:
        self.stdout.write("Known by name:")
        for offer in OFFERS.values():
            checksum = (
                "checked" if offer.sha256 else "computed and printed, not checked"
            )
            size = folder.readable(offer.size)
            self.stdout.write(f"  {offer.name:14} {size:>8}  {offer.label}")
            self.stdout.write(f"  {'':24} {offer.licence}; checksum {checksum}")
        self.stdout.write(f"Files in {conf.AI_MODELS_PATH}:")
        found = folder.listing()
        for name, length in found:
            half = "  (not whole yet)" if name.endswith(folder.PART) else ""
            self.stdout.write(f"  {folder.readable(length):>8}  {name}{half}")
        if not found:
            self.stdout.write("  none")
        self.stdout.write("Which of them a running site has loaded is not known here.")

    def _progress(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if self._begun_at is None:
            self._begun_at = done
        pause = BLINK if self.stdout.isatty() else STEP
        if done != total and now - self._told < pause:
            return
        self._told = now
        speed = (done - self._begun_at) / max(now - self._begun, 0.001)
        text = f"{folder.readable(done)}, {folder.readable(speed)}/s"
        if total:
            text = f"{100 * done // total:3} % of {folder.readable(total)}: {text}"
        if not self.stdout.isatty():
            self.stdout.write(text)
            return
        full = WIDTH * done // total if total else 0
        bar = "#" * full + "." * (WIDTH - full)
        self.stdout.write(f"\r[{bar}] {text}   ", ending="")
        self.stdout.flush()

    def _end_line(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("")
