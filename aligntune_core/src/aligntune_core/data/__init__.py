"""Datasets: what formats are known, how one is recognised, and how its rows become what an algorithm learns from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core.data.builtin import BUILTIN_DATASETS
    from aligntune_core.data.files.glance import Inspected, first_broken_line, inspect
    from aligntune_core.data.files.paths import is_local
    from aligntune_core.data.formats.recognise import Recognised, recognise
    from aligntune_core.data.formats.table import FORMATS, Format
    from aligntune_core.data.formats.unusable import UnusableRow
    from aligntune_core.data.loading import load_rows
    from aligntune_core.data.prepare import Prepared, prepare_job

__all__ = [
    "BUILTIN_DATASETS",
    "FORMATS",
    "Format",
    "Inspected",
    "Prepared",
    "Recognised",
    "UnusableRow",
    "first_broken_line",
    "inspect",
    "is_local",
    "load_rows",
    "prepare_job",
    "recognise",
]

_HOMES = {
    "BUILTIN_DATASETS": "builtin",
    "FORMATS": "formats.table",
    "Format": "formats.table",
    "Inspected": "files.glance",
    "Prepared": "prepare",
    "Recognised": "formats.recognise",
    "UnusableRow": "formats.unusable",
    "first_broken_line": "files.glance",
    "inspect": "files.glance",
    "is_local": "files.paths",
    "load_rows": "loading",
    "prepare_job": "prepare",
    "recognise": "formats.recognise",
}


def __getattr__(name: str) -> Any:
    # the fast check needs the paths of files alone
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
