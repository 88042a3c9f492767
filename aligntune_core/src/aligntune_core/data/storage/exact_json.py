"""A column of values of any kind, kept as JSON and read as exactly what was written."""

from __future__ import annotations

import json
import warnings
from functools import cache
from typing import Any


@cache
def exact_json() -> Any:
    """The feature of such a column.

    The one that `datasets` has reads a text that looks like a number as one, integers of more than 64 bits not at all,
    and a third of all fractions with another last digit.
    """
    from dataclasses import dataclass, field

    from datasets.features import Json
    from datasets.features.features import _FEATURE_TYPES, register_feature

    @dataclass
    class ExactJson(Json):  # type: ignore[misc]
        """Values of any kind, as JSON."""

        _type: str = field(default="ExactJson", init=False, repr=False)

        def encode_example(self, example_data: Any) -> str:
            return json.dumps(example_data)

        def decode_example(self, example_data: str, token_per_repo_id: Any = None) -> Any:
            return json.loads(example_data)

        def __reduce__(self) -> tuple[Any, ...]:
            return exact_json, ()

    if "ExactJson" not in _FEATURE_TYPES:
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # it says that it may change one day
            register_feature(ExactJson, "ExactJson")
    return ExactJson()
