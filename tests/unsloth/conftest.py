"""The Unsloth backend as far as a machine without a GPU can show it."""

from __future__ import annotations

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
pytest.importorskip("aligntune_unsloth", reason="the Unsloth backend is not installed")
pytest.importorskip("aligntune_trl", reason="the TRL backend is not installed")
