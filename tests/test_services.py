"""The services that live tests start: they come, break to order, and come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, Worker, scripted
from tests.services import Postgres, Redis, postgres, redis_server

pytestmark = pytest.mark.live

TEXT = "A parrot *says* `this` in **more than one** frame. " * 20


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


def test_redis_comes_back_on_its_port_and_has_kept_nothing(redis: Redis) -> None:
    redis.ask("SET", "a", "1")
    redis.kill()
    redis.start()
    assert redis.ask("GET", "a") is None


def test_paused_redis_goes_on_where_it_was(redis: Redis) -> None:
    redis.ask("SET", "a", "1")
    redis.pause()
    redis.resume()
    assert redis.ask("GET", "a") == b"1"


def test_databases_of_a_cluster_are_apart_and_hold_our_tables(
    cluster: Postgres,
) -> None:
    one, other = cluster.database(), cluster.database()
    person = one.person()
    assert one.messages(person.conversations[0]) == []
    assert len(one.all("SELECT * FROM auth_user")) == 1
    assert other.all("SELECT * FROM auth_user") == []


@pytest.mark.parametrize("address", ["layer", "core_layer"])
def test_worker_listens_and_ends(redis: Redis, cluster: Postgres, address: str) -> None:
    layer = getattr(redis, address)
    with Worker(polly=scripted(), rows=cluster.database(), layer=layer) as worker:
        assert worker.is_alive
        assert worker.rss() > 1_000_000
        assert worker.cpu() > 0
        worker.kill()
        assert not worker.is_alive


async def test_page_in_one_process_shows_a_reply_of_another(
    redis: Redis, cluster: Postgres
) -> None:
    rows = cluster.database()
    person = rows.person()
    chat = person.conversations[0]
    polly = scripted(text=TEXT, pace=0.002)
    with (
        Site(polly=polly, rows=rows, layer=redis.layer) as one,
        Site(polly=polly, rows=rows, layer=redis.layer) as two,
    ):
        async with (
            Line(one, chat, person.cookie) as asking,
            Line(two, chat, person.cookie) as looking,
        ):
            nonce = await asking.send("Hello")
            await asking.until(f'data-acked="{nonce}"')
            for line in (asking, looking):
                await line.until_settled()
                await line.assert_equals_fresh()
            assert len(looking.frames) > 3
    assert [row["status"] for row in rows.messages(chat)] == ["complete"] * 2


async def test_site_goes_on_when_its_connections_to_the_database_are_cut(
    cluster: Postgres,
) -> None:
    rows = cluster.database()
    person = rows.person()
    with Site(polly=scripted(), rows=rows) as site:
        async with Line(site, person.conversations[0], person.cookie) as line:
            cluster.cut(rows)
            page = await line.fetch()
            assert page.log(line.conversation).id in line.log
