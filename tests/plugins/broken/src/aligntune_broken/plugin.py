"""A plugin that fails before it can say anything."""

from __future__ import annotations

raise RuntimeError("libfrobnicate.so.3 is too old")
