"""Rows that are made here are kept nowhere else."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def rows_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ALIGNTUNE_CACHE", str(folder))
    return folder / "datasets"
