"""Evidence: the rows by which Django knows who is behind a session, read for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth import SESSION_KEY, get_backends, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone

from polly_htmx.statements import Rows

Scope = Mapping[str, Any]

# What decides besides the rows, unless the site's own user does it in another way.
DJANGOS = (
    "is_authenticated",
    "get_session_auth_hash",
    "get_session_auth_fallback_hash",
    "_get_session_auth_hash",
)


def evidence_of(scopes: Sequence[Scope]) -> list[int | None]:
    """
    Return for each socket's user a number that stays while access.who_now() does.

    Django makes up its mind by the row of the session, unexpired, and that of the user.
    Two queries tell for many sockets that both are still the same, and asking Django
    takes two for each. None where the site decides by more, or a row is gone: then
    Django must be asked. Tells nothing of permissions, which have rows of their own.
    """
    keys = [_keys(scope) for scope in scopes]
    if not any(keys) or not _is_by_rows():
        return [None] * len(keys)
    if len(keys) == 1 and keys[0] and _is_plain_table(get_user_model()):
        return [_evidence_of_one(*keys[0])]
    sessions = _sessions({pair[0] for pair in keys if pair})
    users = _users({pair[1] for pair in keys if pair})
    return [
        hash((sessions[pair[0]], users[pair[1]]))
        if pair and pair[0] in sessions and pair[1] in users
        else None
        for pair in keys
    ]


def _is_by_rows() -> bool:
    """Tell whether nothing but these rows counts, by what a site may have changed."""
    user: Any = get_user_model()
    try:
        user._meta.get_field("is_active")
    except FieldDoesNotExist:
        return False
    is_djangos = all(
        getattr(user, name, None) is getattr(AbstractBaseUser, name, None)
        for name in DJANGOS
    )
    return is_djangos and [type(each) for each in get_backends()] == [ModelBackend]


def _is_plain_table(user: Any) -> bool:
    """Tell whether the rows of a site's users are those of one table, and all of them."""
    meta, manager = user._meta, type(user._default_manager)
    return (
        manager.get_queryset is models.Manager.get_queryset
        and meta.local_concrete_fields == meta.concrete_fields
    )


def _evidence_of_one(session_key: str, user_pk: Any) -> int | None:
    """See evidence_of(); for a socket that sends a message, so the short way."""
    sessions, user = SessionStore.get_model_class(), get_user_model()
    session = _first(sessions, session_key)
    if session is None or session.expire_date <= timezone.now():
        return None
    account = _first(user, user_pk)
    if account is None:
        return None
    row = {field.attname: account.__dict__[field.attname] for field in _fields(user)}
    return hash((session.session_data, repr(row)))


def _first(model: type[models.Model], pk: Any) -> Any:
    using = model._default_manager.db
    return Rows(model, using, {"pk": pk}).first()


def _fields(model: type[models.Model]) -> Any:
    return model._meta.concrete_fields


def _keys(scope: Scope) -> tuple[str, Any] | None:
    """Return the keys of both rows; None where Django reads something else."""
    user, session = scope.get("user"), scope.get("session")
    # The scope's session is a lazy proxy; its __class__ is the site's store. Without the
    # key in it the host knows the user by means of its own.
    if user is None or session.__class__ is not SessionStore:
        return None
    key = session.session_key
    return (key, user.pk) if key and SESSION_KEY in session else None


def _sessions(keys: set[str]) -> dict[str, str]:
    rows = SessionStore.get_model_class().objects.filter(
        session_key__in=keys, expire_date__gt=timezone.now()
    )
    return dict(rows.values_list("session_key", "session_data"))


def _users(keys: set[Any]) -> dict[Any, str]:
    # By the manager that Django asks, and all of the row.
    user: Any = get_user_model()
    rows = user._default_manager.filter(pk__in=keys).values()
    return {row[user._meta.pk.attname]: repr(row) for row in rows}
