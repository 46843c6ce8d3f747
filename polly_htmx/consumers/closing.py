"""With which code a socket is closed; htmx 2 does not come back after most of them."""

from __future__ import annotations

from polly_htmx.exceptions import (
    PollyError,
    SignInRequired,
    TooManyFrames,
    TooManySockets,
)

COME_BACK = 1000
"""Our script has htmx 2 come back after it. Before accept it makes no difference."""
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
