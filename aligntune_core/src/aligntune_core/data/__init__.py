"""Datasets: what formats are known, how one is recognised, and how its rows become what an algorithm learns from."""

from aligntune_core.data.builtin import BUILTIN_DATASETS
from aligntune_core.data.files.glance import Inspected, first_broken_line, inspect
from aligntune_core.data.files.paths import is_local
from aligntune_core.data.formats.recognise import Recognised, recognise
from aligntune_core.data.formats.table import FORMATS, Format
from aligntune_core.data.formats.unusable import UnusableRow
from aligntune_core.data.loading import load_rows
from aligntune_core.data.prepare import Prepared, prepare, prepare_job

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
    "prepare",
    "prepare_job",
    "recognise",
]
