"""manage.py polly_chat: talk with a Parrot in the terminal."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from polly_htmx.access import Who, conversations_of
from polly_htmx.exceptions import PollyError
from polly_htmx.management.talks import Stored, Talk, Unstored
from polly_htmx.management.terminal import Terminal
from polly_htmx.models import Message, Parrot, SmartConversation

HELP = """\
/new   begin another chat
/stop  end an answer: press Ctrl-C while it runs
/help  this text
/quit  leave; so do Ctrl-C and Ctrl-D here
"""
NAMES = {
    Message.Party.USER: "You",
    Message.Party.ASSISTANT: "Parrot",
    Message.Party.STAFF: "Staff",
}


class Command(BaseCommand):
    """Reads lines and says answers; polly_htmx.management.talks does the rest."""

    help = (
        "Chats with a Parrot in the terminal. Without --user or --conversation nothing "
        "is stored. Lines may also come from a pipe: then only answers are printed."
    )

    requires_system_checks: list[str] = []  # A warning would stand among the answers.

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument("--parrot", help="its name; else the first one there is")
        parser.add_argument("--user", help="whose chat this is: it is stored")
        parser.add_argument("--conversation", help="id of the one to go on with")

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        self.terminal = Terminal(self.stdout)
        try:
            talk = _talk(options)
            self._greet(talk)
            with asyncio.Runner() as runner:
                self._chat(talk, runner)
        except KeyboardInterrupt:
            if not self.terminal.has_person:
                raise CommandError("Stopped.", returncode=130) from None
            self.terminal.note("")
        except PollyError as exc:
            raise CommandError(str(exc.user_message)) from None

    def _greet(self, talk: Talk) -> None:
        for party, text in talk.past():
            self.terminal.note(f"{NAMES[Message.Party(party)]}: {text}\n")
        self.terminal.note("/help tells what you can do here.")

    def _chat(self, talk: Talk, runner: asyncio.Runner) -> None:
        while (line := self.terminal.read("You: ")) is not None:
            match line.strip():
                case "":
                    continue
                case "/quit":
                    return
                case "/help":
                    self.terminal.note(HELP)
                case "/stop":
                    self.terminal.note("Nothing is being written.")
                case "/new":
                    talk = talk.anew()
                    self.terminal.note("A new chat.")
                case text:
                    self._answer(talk, text, runner)

    def _answer(self, talk: Talk, text: str, runner: asyncio.Runner) -> None:
        say, note = self.terminal.say, self.terminal.note
        try:
            runner.run(talk.answer(text, say, note))
            say("\n")
        except KeyboardInterrupt:
            if not self.terminal.has_person:
                raise
            note("\n(Stopped.)")
        except PollyError as exc:
            self._complain(str(exc.user_message))
        except Exception as exc:  # noqa: BLE001  (databases have faults of their own)
            self._complain(f"Something went wrong: {type(exc).__name__}.")

    def _complain(self, sentence: str) -> None:
        # A person may try again. A script must learn that it went wrong.
        if not self.terminal.has_person:
            raise CommandError(sentence)
        self.terminal.note(f"\n({sentence})")


def _talk(options: dict[str, Any]) -> Talk:
    parrot = _parrot(options["parrot"])
    who = _who(options["user"])
    if options["conversation"]:
        return _stored(options["conversation"], who, parrot)
    if who:
        return Stored(who, parrot, None)
    return Unstored(parrot)


def _stored(given: str, who: Who, parrot: Parrot | None) -> Talk:
    """Go on as the owner of a conversation, who is the given user if there is one."""
    everyones = conversations_of(who) if who else SmartConversation.objects.all()
    try:
        key = uuid.UUID(given)
    except ValueError:
        raise CommandError("--conversation takes an id such as a page shows.") from None
    found = everyones.select_related("parrot", "user").filter(external_id=key).first()
    if found is None:
        raise CommandError("There is no such conversation.")
    owner = Who(user=found.user, visitor=found.visitor)
    return Stored(owner, parrot or found.parrot, found)


def _parrot(name: str | None) -> Parrot | None:
    parrots = Parrot.objects.active().order_by("pk")
    if name is None:
        return parrots.first()
    found = parrots.filter(name=name).first()
    if found is None:
        raise CommandError("There is no Parrot of this name, or it has retired.")
    return found


def _who(name: str | None) -> Who:
    if name is None:
        return Who()
    model: Any = get_user_model()
    try:
        return Who(user=model.objects.get_by_natural_key(name))
    except model.DoesNotExist:
        raise CommandError("There is no user of this name.") from None
