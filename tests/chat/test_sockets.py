"""The count of open sockets per person, across processes."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from polly_htmx.access import Who
from polly_htmx.chat import sockets
from polly_htmx.exceptions import TooManySockets
from polly_htmx.models import SocketCount
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def who(user: User) -> Who:
    """Return a person who may hold three sockets open."""
    return Who(user=user)


@pytest.fixture(autouse=True)
def three(settings: Any) -> None:
    """Let a person hold three sockets open."""
    settings.POLLY = {**settings.POLLY, "MAX_SOCKETS": 3}


def in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act from now on as a process that was forked from this one."""
    monkeypatch.setattr(sockets, "_process", sockets._Process())


def open_now() -> int:
    return sum(SocketCount.objects.values_list("count", flat=True))


def test_one_too_many_is_refused_and_not_counted(who: Who) -> None:
    for _ in range(3):
        sockets.open_socket(who)
    with pytest.raises(TooManySockets):
        sockets.open_socket(who)
    assert open_now() == 3
    sockets.close_socket(who)
    sockets.open_socket(who)


def test_processes_count_together(who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets.open_socket(who)
    sockets.open_socket(who)
    in_another_process(monkeypatch)
    sockets.open_socket(who)
    with pytest.raises(TooManySockets):
        sockets.open_socket(who)
    assert sorted(SocketCount.objects.values_list("count", flat=True)) == [1, 2]


def test_people_count_apart(who: Who, other_user: User) -> None:
    for each in (who, Who(user=other_user), Who(visitor=uuid.uuid4())):
        for _ in range(3):
            sockets.open_socket(each)


def test_nobody_is_not_counted() -> None:
    for _ in range(5):
        sockets.open_socket(Who())
    sockets.close_socket(Who())
    assert not SocketCount.objects.exists()


def test_the_last_one_takes_the_row_away(who: Who) -> None:
    sockets.open_socket(who)
    sockets.close_socket(who)
    assert not SocketCount.objects.exists()
    sockets.close_socket(who)  # Once too often is harmless.


def test_sockets_of_a_dead_process_do_not_count(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sockets.open_socket(who)
    then = timezone.now() - sockets.SILENT - timedelta(seconds=1)
    SocketCount.objects.update(seen_at=then)
    in_another_process(monkeypatch)
    sockets.open_socket(who)
    assert sockets.forget_silent() == 1
    assert open_now() == 1


def test_a_living_process_keeps_its_count_and_sweeps_up_after_dead_ones(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = timezone.now() - sockets.SILENT - timedelta(seconds=1)
    monkeypatch.setattr(sockets._process, "swept", time.monotonic())
    SocketCount.objects.create(
        process=uuid.uuid4(), person="dead", count=1, seen_at=then
    )
    sockets.open_socket(who)
    SocketCount.objects.update(seen_at=then)
    sockets.renew()
    assert SocketCount.objects.count() == 2  # Not each time.
    monkeypatch.setattr(sockets._process, "swept", float("-inf"))
    sockets.renew()
    assert open_now() == 1


def test_a_long_primary_key_has_a_place() -> None:
    class Person:
        pk = "x" * 500

    sockets.open_socket(Who(user=Person()))
    assert open_now() == 1


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_when_many_come_at_once(who: Who) -> None:
    start = threading.Barrier(8)

    def open_one(_number: int) -> bool:
        start.wait(PATIENCE)
        try:
            sockets.open_socket(who)
        except TooManySockets:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        let_in = [*pool.map(open_one, range(8))]
    assert sum(let_in) == open_now() <= 3
