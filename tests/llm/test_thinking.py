"""Thoughts in line: taken off the head of an answer, wherever its pieces are cut."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from polly_htmx.llm.messages import Ending, ProviderEvent, Reasoning, Text
from polly_htmx.llm.thinking import ThoughtSplitter

THOUGHT = "<think>\nTwo < three </th.\n</think>\n\nIt is <think>."


def split(pieces: Iterable[str]) -> tuple[str, str]:
    """Return the thoughts and the answer that come of an answer's pieces."""
    splitter, said = ThoughtSplitter(), {Reasoning: "", Text: ""}
    events: list[ProviderEvent] = [*map(Text, pieces), Ending(finish_reason="stop")]
    for event in events:
        for part in splitter.take(event):
            if isinstance(part, (Reasoning, Text)):
                assert part.text, "An empty piece counts as a word."
                said[type(part)] += part.text
    return said[Reasoning], said[Text]


WHOLE = [
    (THOUGHT, "\nTwo < three </th.\n", "It is <think>."),
    (" \n<think></think>Fine", "", "Fine"),
    ("<think>never closed </th", "never closed </th", ""),
    ("<thinking> is a tag", "", "<thinking> is a tag"),
    ("<th", "", "<th"),
    ("  indented", "", "  indented"),
    (" \n", "", " \n"),
    ("See: <think>x</think>", "", "See: <think>x</think>"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "thoughts", "answer"), WHOLE)
def test_thoughts_are_told_from_the_answer_at_every_cut(
    text: str, thoughts: str, answer: str
) -> None:
    assert split([text]) == (thoughts, answer)
    assert split(text) == (thoughts, answer)
    for cuts in itertools.combinations(range(len(text)), 2):
        pieces = [text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]]
        assert split(pieces) == (thoughts, answer)


def test_what_is_certain_is_not_held_back() -> None:
    splitter = ThoughtSplitter()
    for piece, passed in [
        ("<think>", []),
        ("One <", [Reasoning("One ")]),
        (" two", [Reasoning("< two")]),
        ("</think>\n", []),
        ("\nYes", [Text("Yes")]),
    ]:
        assert list(splitter.take(Text(piece))) == passed
    assert splitter.is_through
