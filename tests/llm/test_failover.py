from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import pytest

from polly_htmx.llm import breaker, exceptions, retries
from polly_htmx.llm.failover import Candidate, Failover
from polly_htmx.llm.messages import Ending, ProviderEvent, Reasoning, Text, Usage

Script = Sequence[ProviderEvent | exceptions.LLMError]
GOOD: Script = [Text("Hello"), Ending(finish_reason="stop")]


class Model:
    """Plays one script a call, the last one for ever."""

    def __init__(self, name: str, *scripts: Script) -> None:
        self.name = name
        self.scripts = list(scripts)
        self.asked = 0
        self.closed = 0

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.name, self.ask)

    async def ask(self) -> AsyncGenerator[ProviderEvent]:
        self.asked += 1
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            for event in script:
                if isinstance(event, exceptions.LLMError):
                    raise event
                yield event
        finally:
            self.closed += 1


class Silent:
    """Never says a word."""

    async def ask(self) -> AsyncGenerator[ProviderEvent]:
        await asyncio.Event().wait()
        yield Text("")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.001)


def failing(name: str, *faults: exceptions.LLMError) -> Model:
    return Model(name, *[[fault] for fault in faults])


async def said(*models: Model) -> tuple[str, Failover]:
    """Return what comes out, and what was done for it."""
    failover = Failover([model.candidate for model in models])
    text = ""
    async for event in failover.events():
        text += event.text if isinstance(event, Text) else ""
    return text, failover


async def test_model_is_asked_again_for_a_fault_that_passes() -> None:
    model = Model("A", [exceptions.Unavailable()], [exceptions.EmptyAnswer()], GOOD)
    text, failover = await said(model)
    assert text == "Hello"
    assert [attempt.error for attempt in failover.attempts] == [
        "unavailable",
        "empty-answer",
        "",
    ]
    assert model.closed == 3


async def test_answer_without_a_word_counts_as_a_fault() -> None:
    model = Model("A", [Ending(finish_reason="stop")], GOOD)
    text, failover = await said(model)
    assert text == "Hello"
    assert failover.attempts[0].error == "empty-answer"


async def test_retries_end(deadlines: Callable[..., None]) -> None:
    deadlines(RETRIES=1)
    model = failing("A", exceptions.Unavailable())
    with pytest.raises(exceptions.Unavailable):
        await said(model)
    assert model.asked == 2


@pytest.mark.parametrize(
    "fault",
    [
        exceptions.BadResponse(),
        exceptions.ContentRefused(),
        exceptions.ContextTooLong(),
        exceptions.NotAuthorised(),
        exceptions.NotConfigured(),
        exceptions.RequestRefused(),
        exceptions.TimedOut(),
    ],
    ids=lambda fault: fault.code,
)
async def test_fault_that_stays_is_told_at_once(fault: exceptions.LLMError) -> None:
    model = failing("A", fault)
    with pytest.raises(type(fault)):
        await said(model)
    assert model.asked == 1


@pytest.mark.parametrize("begun", [Text("Hel"), Reasoning("Hm")])
async def test_answer_that_has_begun_is_never_begun_anew(begun: ProviderEvent) -> None:
    model = Model("A", [begun, exceptions.Unavailable()], GOOD)
    other = Model("B", GOOD)
    with pytest.raises(exceptions.Unavailable):
        await said(model, other)
    assert (model.asked, other.asked) == (1, 0)


@pytest.mark.parametrize(
    "fault",
    [
        exceptions.ContextTooLong(),
        exceptions.NotAuthorised(),
        exceptions.NotConfigured(),
        exceptions.TimedOut(),
    ],
    ids=lambda fault: fault.code,
)
async def test_next_model_answers(fault: exceptions.LLMError) -> None:
    text, failover = await said(failing("A", fault), Model("B", GOOD))
    assert text == "Hello"
    assert [attempt.model for attempt in failover.attempts] == ["A", "B"]
    assert failover.attempts[-1].first is not None
    assert failover.attempts[-1].seconds is not None


async def test_refused_content_is_shown_to_no_other_model() -> None:
    other = Model("B", GOOD)
    with pytest.raises(exceptions.ContentRefused):
        await said(failing("A", exceptions.ContentRefused()), other)
    assert other.asked == 0


async def test_last_model_names_the_fault() -> None:
    with pytest.raises(exceptions.NotAuthorised):
        await said(
            failing("A", exceptions.TimedOut()),
            failing("B", exceptions.NotAuthorised()),
        )


async def test_provider_is_obeyed_that_names_a_time() -> None:
    model = Model("A", [exceptions.RateLimited(retry_after=0.15)], GOOD)
    begun = asyncio.get_running_loop().time()
    await said(model)
    assert asyncio.get_running_loop().time() - begun >= 0.15


async def test_provider_that_wants_too_long_is_not_waited_for() -> None:
    other = Model("B", GOOD)
    model = failing("A", exceptions.RateLimited(retry_after=3_600))
    text, _failover = await said(model, other)
    assert text == "Hello"
    assert model.asked == 1


async def test_no_wait_passes_the_deadline_of_the_first_piece(
    deadlines: Callable[..., None],
) -> None:
    deadlines(FIRST_TOKEN_TIMEOUT=0.05)
    model = Model("A", [exceptions.RateLimited(retry_after=2)], GOOD)
    with pytest.raises(exceptions.RateLimited):
        await said(model)


async def test_stop_closes_the_call() -> None:
    model = Model("A", GOOD)
    failover = Failover([model.candidate])
    async with aclosing(failover.events()) as events:
        assert await anext(events) == Text("Hello")
    assert model.closed == 1
    (attempt,) = failover.attempts
    assert (attempt.error, attempt.ending) == ("", None)
    assert attempt.seconds is not None


async def test_usage_of_a_stopped_call_is_estimated() -> None:
    failover = Failover([Candidate("A", Model("A", GOOD).ask, size=401)])
    async with aclosing(failover.events()) as events:
        await anext(events)
    usage = failover.attempts[0].usage
    assert usage == Usage(input_tokens=101, output_tokens=2, exact=False)


async def test_usage_is_unknown_of_a_call_without_a_word() -> None:
    failover = Failover([failing("A", exceptions.TimedOut()).candidate])
    with pytest.raises(exceptions.TimedOut):
        [event async for event in failover.events()]
    assert failover.attempts[0].usage is None


async def test_usage_is_the_providers_where_it_tells() -> None:
    told = Usage(input_tokens=3, output_tokens=1, exact=True)
    ending = Ending(finish_reason="stop", usage=told)
    _text, failover = await said(Model("A", [Text("Hello"), ending]))
    assert failover.attempts[0].usage == told


# The breaker


async def fail(model: Model, times: int) -> None:
    for _ in range(times):
        with pytest.raises(exceptions.LLMError):
            await said(model)


@pytest.fixture
def no_retries(deadlines: Callable[..., None]) -> None:
    deadlines(RETRIES=0)


@pytest.mark.usefixtures("no_retries")
async def test_model_that_keeps_failing_is_left_alone() -> None:
    sick, well = failing("A", exceptions.Unavailable()), Model("B", GOOD)
    await fail(sick, breaker.FAILURES)
    with pytest.raises(exceptions.Unavailable):
        await said(sick)
    text, _failover = await said(sick, well)
    assert text == "Hello"
    assert sick.asked == breaker.FAILURES


@pytest.mark.usefixtures("no_retries")
async def test_one_question_sees_whether_the_model_is_well_again(
    deadlines: Callable[..., None],
) -> None:
    deadlines(BREAKER_SECONDS=0.05)
    model = Model("A", *[[exceptions.Unavailable()]] * breaker.FAILURES, GOOD)
    await fail(model, breaker.FAILURES)
    await asyncio.sleep(breaker.wait("A") + 0.01)
    assert breaker.wait("A") == 0
    # That was the one question's turn, and its answer is not there yet.
    assert breaker.wait("A") > 0
    breaker.succeeded("A")
    assert (await said(model))[0] == "Hello"


@pytest.mark.usefixtures("no_retries")
async def test_question_that_was_given_up_leaves_the_look_to_the_next(
    deadlines: Callable[..., None],
) -> None:
    deadlines(BREAKER_SECONDS=0.05)
    model = Model("A", *[[exceptions.Unavailable()]] * breaker.FAILURES, GOOD)
    await fail(model, breaker.FAILURES)
    await asyncio.sleep(breaker.wait("A") + 0.01)
    deadlines(BREAKER_SECONDS=60)
    failover = Failover([Candidate("A", Silent().ask)])
    asking = asyncio.ensure_future(anext(failover.events()))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert (await said(model))[0] == "Hello"


@pytest.mark.usefixtures("no_retries")
async def test_model_that_breaks_off_is_not_left_alone() -> None:
    model = Model("A", [Text("Hel"), exceptions.Unavailable()])
    await fail(model, 2 * breaker.FAILURES)
    assert model.asked == 2 * breaker.FAILURES


@pytest.mark.usefixtures("no_retries")
async def test_answer_forgives_earlier_failures() -> None:
    model = Model("A", *[[exceptions.Unavailable()]] * 4, GOOD, [exceptions.TimedOut()])
    await fail(model, 4)
    await said(model)
    await fail(model, 4)
    assert breaker.wait("A") == 0


@pytest.mark.usefixtures("no_retries")
async def test_faults_of_a_question_are_not_the_models() -> None:
    model = failing("A", exceptions.ContextTooLong())
    await fail(model, 2 * breaker.FAILURES)
    assert model.asked == 2 * breaker.FAILURES


@pytest.mark.usefixtures("no_retries")
async def test_breaker_can_be_turned_off(deadlines: Callable[..., None]) -> None:
    deadlines(BREAKER_SECONDS=0)
    model = failing("A", exceptions.Unavailable())
    await fail(model, 2 * breaker.FAILURES)
    assert model.asked == 2 * breaker.FAILURES
