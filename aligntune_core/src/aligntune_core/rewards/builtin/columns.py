"""The dataset's columns as reward functions receive them."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.wording import closest

if TYPE_CHECKING:
    from collections.abc import Sequence


def column(columns: Mapping[str, Any], name: str, *, wanted_by: str, count: int) -> Sequence[Any]:
    """The column of that name, one value for each of ``count`` completions.

    Args:
        columns: What the engine passed: lists of one value for each completion, among other things.
        name: The column.
        wanted_by: The reward function that needs it.
        count: How many completions there are.

    Raises:
        RewardError: If there is no such column, or it has another length.
    """
    values = columns.get(name)
    if values is None:
        there = sorted(key for key, value in columns.items() if isinstance(value, list) and key != "completion_ids")
        raise RewardError(
            f"reward function '{wanted_by}' needs the column '{name}', which the data doesn't have: "
            f"{'its columns beside the prompt are ' + ', '.join(there) if there else 'it has the prompt only'}.",
            fix=_renaming(name, there, wanted_by),
        )
    if not isinstance(values, Sized) or len(values) != count:
        length = len(values) if isinstance(values, Sized) else 1
        raise RewardError(
            f"reward function '{wanted_by}' got {length} values of the column '{name}' for {count} completions."
        )
    return values  # type: ignore[return-value]


def _renaming(name: str, there: list[str], wanted_by: str) -> str:
    other = closest(name, there) or (there[0] if len(there) == 1 else "")
    return f"If '{other}' holds it, write {wanted_by}(column='{other}')." if other else ""
