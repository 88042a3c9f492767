"""Reward functions given in Python, called in this process for an engine in another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aligntune_core.run.process.values import from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CALLBACK, NAMESPACE = "callback", "namespace"
"""The tags of an engine's function, and of an engine's object with fields, among the columns."""


class Functions:
    """The functions of a job.

    Args:
        functions: Each with its name.
        call: Calls the engine's process.
    """

    def __init__(self, functions: Sequence[tuple[str, Callable[..., Any]]], call: Callable[..., Any]) -> None:
        self._functions = functions
        self._call = call

    def score(self, *, function: int, prompts: Any, completions: Any, columns: Mapping[str, Any]) -> list[Any]:
        """What a function returns, as plain values.

        Args:
            function: Its number.
            prompts: What the completions answer.
            completions: What is to be scored.
            columns: The dataset's columns and what else the engine gives.

        Raises:
            RewardError: If the function fails, or returns nothing that can be rewards.
        """
        from aligntune_core.rewards.plain import plain_rewards

        name, called = self._functions[function]
        readers = {CALLBACK: self._callback, NAMESPACE: lambda of: SimpleNamespace(**from_json(of))}
        given = {column: from_json(written[0], readers) for column, written in columns.items()}
        return plain_rewards(called, name, prompts, completions, given)

    def _callback(self, of: Mapping[str, Any]) -> Callable[..., Any]:
        def callback(*arguments: Any, **keywords: Any) -> Any:
            return self._call("apply", function=of["number"], arguments=arguments, keywords=keywords)

        callback.__name__ = of["name"]
        return callback
