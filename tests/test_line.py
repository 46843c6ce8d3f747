"""A tab without a browser: what it sends, keeps and survives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.line import Line
from tests.live import Site, provided, scripted
from tests.proxy import Proxy
from tests.rows import Person, SqliteRows

pytestmark = pytest.mark.live

TEXT = "A parrot *says* `this` in **more than one** frame. " * 40


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> SqliteRows:
    made = SqliteRows(str(tmp_path_factory.mktemp("rows") / "rows.sqlite3"))
    made.migrate()
    return made


@pytest.fixture(scope="module")
def site(rows: SqliteRows) -> Iterator[Site]:
    polly = {**scripted(text=TEXT, pace=0.002), "MESSAGES_PER_MINUTE": 1_000}
    with Site(polly=polly, rows=rows) as started:
        yield started


@pytest.fixture(scope="module")
def people(rows: SqliteRows) -> Iterator[Person]:
    """Return somebody new at each next(); a process for each would take a second."""
    return iter(rows.people(20))


@pytest.fixture
def person(people: Iterator[Person]) -> Person:
    return next(people)


async def test_tab_shows_what_a_fresh_one_does(site: Site, person: Person) -> None:
    async with Line(site, person.conversations[0], person.cookie) as line:
        nonce = await line.send("Hello")
        await line.until(f'data-acked="{nonce}"')
        await line.until_settled()
        await line.assert_equals_fresh()
    assert line.received > len(TEXT)
    assert line.socket is None


async def test_tab_that_loses_its_line_lays_another_and_catches_up(
    site: Site, person: Person
) -> None:
    async with Line(site, person.conversations[0], person.cookie) as line:
        await line.send("Hello")
        await line.until_shown('data-status="streaming"')
        line.cut()
        await line.closed.wait()
        await line.connect()
        await line.until_settled()
        await line.assert_equals_fresh()


async def test_tab_behind_a_wire_is_served_as_one_in_front(
    site: Site, person: Person
) -> None:
    with Proxy(("127.0.0.1", site.port)) as proxy:
        async with Line(proxy, person.conversations[0], person.cookie) as line:
            await line.send("Hello")
            await line.until_settled()
            proxy.cut()
            await line.closed.wait()


async def test_tab_that_does_not_listen_hears_it_all_later(
    site: Site, person: Person
) -> None:
    chat = person.conversations[0]
    async with (
        Line(site, chat, person.cookie) as deaf,
        Line(site, chat, person.cookie) as other,
    ):
        deaf.deaf()
        await other.send("Hello")
        await other.until_settled()
        assert len(deaf.frames) < len(other.frames)
        deaf.hear()
        await deaf.until_settled()
        await deaf.assert_equals_fresh()


async def test_waiting_for_what_never_comes_says_what_came(
    site: Site, person: Person
) -> None:
    async with Line(site, person.conversations[0], person.cookie) as line:
        with pytest.raises(AssertionError, match="never"):
            await line.until("never", patience=0.1)


async def test_paused_site_is_silent_and_goes_on(site: Site, person: Person) -> None:
    async with Line(site, person.conversations[0], person.cookie) as line:
        site.pause()
        nonce = await line.send("Hello")
        with pytest.raises(AssertionError, match="acked"):
            await line.until("acked", patience=0.2)
        site.resume()
        await line.until(f'data-acked="{nonce}"')


async def test_killed_site_comes_back_on_its_port_with_the_same_rows(
    rows: SqliteRows, person: Person
) -> None:
    chat = person.conversations[0]
    with Site(polly=scripted(), rows=rows) as site:
        async with Line(site, chat, person.cookie) as line:
            await line.send("Hello")
            await line.until_settled()
            site.kill()
            await line.closed.wait()
            site.start()
            await line.connect()
            await line.assert_equals_fresh()
    assert rows.messages(chat)[0]["content"] == "Hello"


def test_provided_names_a_model_behind_an_address() -> None:
    entry = provided("http://127.0.0.1:1/v1", "good", api_key="k")["MODELS"]["MOCK"]
    assert entry["model"] == "openai/good"
    assert entry["api_key"] == "k"
