"""
People with conversations, made by a process on a live site's own database.

    python -m tests.seed PEOPLE CONVERSATIONS MODEL

Prints them as JSON, each with the cookie that a browser would send.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def main(people: int, conversations: int, model: str) -> None:
    """Make people who are signed in, and conversations with one Parrot."""
    django.setup()
    print(json.dumps([_person(conversations, model) for _ in range(people)]))


def _person(conversations: int, model: str) -> dict[str, Any]:
    from django.conf import settings  # noqa: PLC0415 - after setup()
    from django.contrib.auth.models import User  # noqa: PLC0415 - after setup()
    from django.test import Client  # noqa: PLC0415 - after setup()

    from polly_htmx.models import Parrot, SmartConversation  # noqa: PLC0415

    user = User.objects.create_user(f"person{User.objects.count()}", password="pw")
    parrot, _made = Parrot.objects.get_or_create(name="Polly", model=model)
    made = [
        SmartConversation.objects.create(parrot=parrot, user=user)
        for _ in range(conversations)
    ]
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {
        "name": user.username,
        "cookie": f"{name}={client.cookies[name].value}",
        "conversations": [str(conversation.external_id) for conversation in made],
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
