"""With which code a socket is closed; htmx 2 does not come back after any of them."""

from __future__ import annotations

from polly_htmx.exceptions import (
    PollyError,
    SignInRequired,
    TooManyFrames,
    TooManySockets,
)

SIGN_IN = 4401
NOT_FOUND = 4404
BAD_FRAMES = 4408
UNREAD = 4413
TOO_MANY = 4429

_CODES: dict[type[PollyError], int] = {
    SignInRequired: SIGN_IN,
    TooManySockets: TOO_MANY,
    TooManyFrames: TOO_MANY,
}


def code_for(exc: PollyError) -> int:
    """Return the code for a page that is taken off the line."""
    return _CODES.get(type(exc), NOT_FOUND)
