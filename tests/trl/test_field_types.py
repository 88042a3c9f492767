"""A value is held against the type that the engine's source gives its field, as strictly as the engine is."""

from __future__ import annotations

import ast

import pytest

from aligntune_trl.checks.field_types import alternatives, fits
from aligntune_trl.translation.fields import choices

OPTIMISER = "OptimizerNames | str"


def holds(annotation, value):
    return fits(value, alternatives(ast.parse(annotation, mode="eval").body))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", 3),
        ("float", 3),
        ("float", float("inf")),
        ("float | None", None),
        ("Optional[float]", 0.5),
        ("Union[int, list[int]]", [1, 2]),
        ("bool", True),
        ("bool", 1),
        ("list[str] | None", "one text"),
        ("list[str]", ("a", "b")),
        ("List[float]", [1, 0.5]),
        ("dict[str, Any] | str | None", {"a": {"b": 1}}),
        ("tuple", [1, "a"]),
        ("Literal['all', re.compile('x')]", "another text"),
        (OPTIMISER, "adamw_torch"),
        ("SomethingOfTheEngines", object()),
        ("SomethingOfTheEngines | None", "text"),
    ],
)
def test_what_the_engine_takes_is_let_through(annotation, value):
    assert holds(annotation, value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", 3.0),
        ("int", True),
        ("int", "3"),
        ("float", "1e-4"),
        ("float", False),
        ("float", 10**400),
        ("bool", 2),
        ("bool", "true"),
        ("str", 1),
        ("int | None", "none"),
        ("list[str]", ["a", 1]),
        ("list[int]", "1"),
        ("list[int]", [True]),
        ("dict[str, Any]", []),
        ("Literal['all']", 1),
        (OPTIMISER, "adam-of-another-name"),
        (OPTIMISER, ["adamw_torch"]),
    ],
)
def test_what_it_would_stumble_over_is_not(annotation, value):
    assert not holds(annotation, value)


def test_an_enumeration_is_known_by_its_name():
    assert "adamw_torch" in choices("OptimizerNames")
