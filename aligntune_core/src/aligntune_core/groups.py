"""The entry-point groups in which distributions say what they bring to AlignTune."""

from __future__ import annotations

PROJECT = "aligntune"
"""The name under which hooks are marked."""

ENTRY_POINT_GROUP = "aligntune_core.backends"
"""The backends: each entry point names a backend and the module that implements its hooks."""

OBSERVER_GROUP = "aligntune_core.observers"
"""The observers: each entry point names a module that is told of every run."""

RECORD_GROUP = "aligntune_core.backend_info"
"""What plugins say of their backends, as files: ``NAME = "PACKAGE:FILE.json"``, readable without importing anything."""
