"""Talks to models: knows no Django models, sockets or HTML."""

from __future__ import annotations

from polly_htmx.llm import exceptions
from polly_htmx.llm.base_invoker import BaseInvoker
from polly_htmx.llm.connect import LLMConnect
from polly_htmx.llm.figures import Price, Takes
from polly_htmx.llm.invoker import LLMInvoker
from polly_htmx.llm.messages import (
    Event,
    Finished,
    Reasoning,
    Reply,
    Text,
    ToolCall,
    Usage,
    Waking,
)
from polly_htmx.llm.model_type import LLMModelType, ModelEntry, Place
from polly_htmx.llm.problems import Problem, problem
from polly_htmx.llm.scripted import ScriptedInvoker

__all__ = [
    "BaseInvoker",
    "Event",
    "Finished",
    "LLMConnect",
    "LLMInvoker",
    "LLMModelType",
    "ModelEntry",
    "Place",
    "Price",
    "Problem",
    "Reasoning",
    "Reply",
    "ScriptedInvoker",
    "Takes",
    "Text",
    "ToolCall",
    "Usage",
    "Waking",
    "exceptions",
    "problem",
]
