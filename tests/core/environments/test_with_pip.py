"""Environments by venv and pip, from folders of wheels and no package index."""

from __future__ import annotations

import os
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from aligntune.environments import create, examine_all, specify
from aligntune_core.errors import SetupError


def installed_as_wheel(name: str, folder: Path) -> None:
    """The wheel of a distribution of pure Python that is installed here, made of its files."""
    found = distribution(name)
    with zipfile.ZipFile(folder / f"{name}-{found.version}-py3-none-any.whl", "w") as wheel:
        for file in found.files or ():
            if file.parts[0] in {name, f"{name}-{found.version}.dist-info"} and file.name not in {
                "INSTALLER",
                "REQUESTED",
            }:
                wheel.write(file.locate(), str(file))


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """No package index is there, and one folder with what the core needs."""
    folder = tmp_path / "needed"
    folder.mkdir()
    for name in ("pluggy", "packaging"):
        installed_as_wheel(name, folder)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_an_environment_is_made_from_folders_alone(request_tiny, alone):
    request = request_tiny(installer="pip")
    found = specify(request)
    assert (str(found.installer), found.settings.find_links, found.settings.no_index) == (
        "venv and pip",
        (str(alone),),
        True,
    )
    made = create(request)
    assert made.backends == ("tiny",)
    lines = Path(made.lock).read_text(encoding="utf-8").splitlines()
    assert f"pluggy=={distribution('pluggy').version}" in lines
    assert any(line.startswith("aligntune-core @ file://") for line in lines)
    assert examine_all()[0].problems == ()
    # what contradicts is told in pip's words, and leaves nothing
    with pytest.raises(SetupError, match="failed while it installed the backend") as refused:
        create(request_tiny("other", installer="pip", extras=("pluggy<1",)))
    assert "pluggy" in refused.value.message
    assert [each.name for each in examine_all()] == ["tiny"]
