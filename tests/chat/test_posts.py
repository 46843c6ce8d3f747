"""Posts: what happens reaches each socket once, from this process and from others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from polly_htmx.chat import audience, home, layer, posts
from polly_htmx.chat.events import Event, PathChanged, to_dict
from polly_htmx.models import SmartConversation
from tests.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("at_home")


@pytest.fixture
async def at_home() -> Any:
    """Make this test's loop a home."""
    home.adopt()
    yield
    await home.aclose()


class Far:
    """A channel layer that reaches other processes, and fails when told to."""

    def __init__(self) -> None:
        self.fails = False
        self.groups: dict[str, set[str]] = {}
        self.channels: dict[str, asyncio.Queue[Any]] = {}

    async def new_channel(self) -> str:
        """Return a channel's name."""
        self._try()
        await asyncio.sleep(0)
        name = f"channel-{len(self.channels)}"
        self.channels[name] = asyncio.Queue()
        return name

    async def receive(self, channel: str) -> Any:
        """Return the next message; None stands for a line that breaks."""
        message = await self.channels[channel].get()
        if message is None:
            raise OSError
        return message

    async def group_add(self, group: str, channel: str) -> None:
        """Let a channel hear a group."""
        self._try()
        self.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Let a channel hear no more of a group."""
        await asyncio.sleep(0)
        self.groups[group].discard(channel)

    async def group_send(self, group: str, message: Any) -> None:
        """Send to a group."""
        self._try()
        for channel in self.groups.get(group, ()):
            self.channels[channel].put_nowait(message)

    async def send(self, channel: str, message: Any) -> None:
        """Send to a channel."""
        self.channels[channel].put_nowait(message)

    def _try(self) -> None:
        if self.fails:
            raise OSError


class Socket:
    """A socket that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.news = asyncio.Event()

    def hear(self, event: Event) -> None:
        """See Listener."""
        self.heard.append(event)
        self.news.set()

    async def until(self, count: int) -> None:
        """Return when so much has been heard."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    """Return the layer of this test."""
    far = Far()
    monkeypatch.setattr(layer, "site_layer", lambda: far)
    monkeypatch.setattr(layer, "RETRY", 0.01)
    return far


def event(number: int = 1) -> PathChanged:
    return PathChanged(state=str(number))


def said_elsewhere(conversation: SmartConversation, said: Any) -> dict[str, Any]:
    """Return a message of another process."""
    name = layer.group_name(conversation)
    return {"type": layer.EVENT_TYPE, "room": name, "from": "another", "event": said}


async def test_all_of_this_process_hear_the_same_event_without_the_layer() -> None:
    conversation, one, two = SmartConversation(), Socket(), Socket()
    await posts.follow(conversation, one)
    await posts.follow(conversation, two)
    await posts.follow(conversation, one)
    said = event()
    await layer.apublish(conversation, said)
    assert one.heard == two.heard == [said]
    assert one.heard[0] is two.heard[0] is said
    assert posts.hears(conversation)
    await posts.unfollow(conversation, one)
    await posts.unfollow(conversation, one)
    await layer.apublish(conversation, event(2))
    assert (len(one.heard), len(two.heard)) == (1, 2)


async def test_layer_that_is_down_keeps_nothing_from_this_process(far: Far) -> None:
    conversation, socket = SmartConversation(), Socket()
    far.fails = True
    await posts.follow(conversation, socket)
    assert not posts.hears(conversation)
    await layer.apublish(conversation, event())
    await layer.asend(posts.address(conversation), event(2))
    assert socket.heard == [event(), event(2)]


async def test_words_of_other_processes_come_and_own_ones_only_once(far: Far) -> None:
    conversation, socket = SmartConversation(), Socket()
    await posts.follow(conversation, socket)
    await layer.apublish(conversation, event())
    name = layer.group_name(conversation)
    await far.group_send(name, said_elsewhere(conversation, {"event": "Unknown"}))
    await far.group_send(name, said_elsewhere(conversation, to_dict(event(2))))
    await socket.until(2)
    assert socket.heard == [event(), event(2)]


async def test_one_that_asked_is_answered_from_another_process(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation, socket = SmartConversation(), Socket()
    await posts.follow(conversation, socket)
    address = posts.address(conversation)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(audience, "name", lambda: "another")
        await layer.asend(address, event())
    await socket.until(1)
    assert socket.heard == [event()]


async def test_conversations_share_channels_but_not_one_for_all(far: Far) -> None:
    sockets = [(SmartConversation(), Socket()) for _ in range(posts.ROOMS + 1)]
    await asyncio.gather(*(posts.follow(*each) for each in sockets))
    assert len(far.channels) == 2
    assert all(posts.hears(conversation) for conversation, _socket in sockets)


async def test_group_is_left_with_the_last_and_joined_by_who_comes_meanwhile(
    far: Far,
) -> None:
    conversation, one, two = SmartConversation(), Socket(), Socket()
    name = layer.group_name(conversation)
    await posts.follow(conversation, one)
    await asyncio.gather(
        posts.unfollow(conversation, one), posts.follow(conversation, two)
    )
    assert posts.hears(conversation)
    assert far.groups[name]
    await posts.unfollow(conversation, two)
    assert not posts.hears(conversation)
    assert not far.groups[name]
    assert audience.find(name) is None


async def test_room_is_deaf_when_the_layer_breaks_and_can_join_again(far: Far) -> None:
    conversation, socket = SmartConversation(), Socket()
    await posts.follow(conversation, socket)
    (channel,) = far.channels
    far.channels[channel].put_nowait(None)
    async with asyncio.timeout(PATIENCE):
        while posts.hears(conversation):  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0)
    await posts.follow(conversation, socket, again=True)
    assert posts.hears(conversation)
    message = said_elsewhere(conversation, to_dict(event()))
    await far.group_send(layer.group_name(conversation), message)
    await socket.until(1)


async def test_event_from_a_loop_of_another_thread_is_handed_over() -> None:
    conversation, socket = SmartConversation(), Socket()
    await posts.follow(conversation, socket)
    name = layer.group_name(conversation)

    async def tell() -> None:
        audience.tell(name, event())

    await asyncio.to_thread(lambda: asyncio.run(tell()))
    await socket.until(1)
    assert socket.heard == [event()]
