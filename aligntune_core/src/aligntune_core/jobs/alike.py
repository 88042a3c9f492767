"""Schemas that several names share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def alike(schemas: Mapping[str, Mapping[str, Any]]) -> list[tuple[list[str], dict[str, Any]]]:
    """Each different schema, with the names of all that have it.

    Args:
        schemas: Schemas by name.
    """
    found: list[tuple[list[str], dict[str, Any]]] = []
    for name, schema in schemas.items():
        names = next((names for names, each in found if each == schema), None)
        if names is None:
            found.append(([name], dict(schema)))
        else:
            names.append(name)
    return found
