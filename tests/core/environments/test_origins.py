"""AlignTune's distributions come from where the running ones came from, and from nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aligntune_core.backends import origins
from aligntune_core.backends.backend import KNOWN_BACKENDS
from aligntune_core.backends.origins import OURS, install_command, is_ours, origin_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Nothing runs from a checkout, and installers recorded this of the distributions that are installed."""
    monkeypatch.setattr(origins, "_running_checkout", lambda: "")
    monkeypatch.setattr(origins, "_version", lambda: "1.0.0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    def make(**recorded):
        folders = {}
        for name, told in recorded.items():
            folder = tmp_path / f"{name}-1.0.0.dist-info"
            folder.mkdir()
            folders[name.replace("_", "-")] = str(folder)
            if told is not None:
                (folder / "direct_url.json").write_text(told if isinstance(told, str) else json.dumps(told))
        monkeypatch.setattr(origins, "installed_folder", lambda name: folders.get(name, ""))

    return make


def wheel(folder, name, version="1.0.0"):
    path = folder / f"{name}-{version}-py3-none-any.whl"
    path.touch()
    return path


def test_what_runs_from_a_checkout_is_installed_from_it():
    for name in OURS:
        found = origin_of(name)
        assert found.editable
        assert f'name = "{name}"' in Path(found.place, "pyproject.toml").read_text()
    assert origin_of("Aligntune_TRL").words == ("--editable", str(ROOT / "aligntune_trl"))


def test_a_wheel_brings_the_wheels_beside_it(installed, tmp_path):
    core, trl = wheel(tmp_path, "aligntune_core"), wheel(tmp_path, "aligntune_trl")
    installed(aligntune_core={"url": core.as_uri(), "archive_info": {}})
    assert origin_of("aligntune-core").place == str(core)
    assert origin_of("aligntune-trl").words == (str(trl),)
    assert origin_of("aligntune-unsloth") is None
    assert install_command(["aligntune-trl"]) == f"pip install {trl}"


@pytest.mark.parametrize("editable", [True, False])
def test_a_folder_brings_the_folders_beside_it(installed, editable):
    installed(aligntune_core={"url": (ROOT / "aligntune_core").as_uri(), "dir_info": {"editable": editable}})
    found = origin_of("aligntune-trl")
    assert (found.place, found.editable) == (str(ROOT / "aligntune_trl"), editable)
    assert origin_of("aligntune").place == str(ROOT)


@pytest.mark.parametrize(
    ("told", "requirement"),
    [
        (
            {
                "url": "https://example.org/a.git",
                "subdirectory": "aligntune_core",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
            },
            "aligntune-trl @ git+https://example.org/a.git@abc#subdirectory=aligntune_trl",
        ),
        (
            {"url": "https://example.org/w/aligntune_core-1.0.0-py3-none-any.whl", "archive_info": {}},
            "aligntune-trl @ https://example.org/w/aligntune_trl-1.0.0-py3-none-any.whl",
        ),
    ],
    ids=["repository", "wheel"],
)
def test_a_url_brings_what_is_beside_it(installed, told, requirement):
    installed(aligntune_core=told)
    assert origin_of("aligntune-trl").requirement == requirement


@pytest.mark.parametrize(
    "told",
    [
        None,
        "no json",
        "[]",
        {"url": "file:///nowhere/aligntune_core-1.0.0-py3-none-any.whl", "archive_info": {}},
        {"url": "file:///nowhere/aligntune_core", "dir_info": {"editable": True}},
    ],
    ids=["an index", "damaged", "nonsense", "a wheel that is gone", "a checkout that is gone"],
)
def test_what_can_not_be_known_is_not_guessed(installed, told, tmp_path):
    installed(aligntune_core=told, aligntune_trl=None)
    for name in OURS:
        assert origin_of(name) is None
        assert install_command([name]) == ""
    # but where the user says it, by a setting of AlignTune's or of pip's
    trl = wheel(tmp_path, "aligntune_trl")
    wheel(tmp_path, "aligntune_trl", "9.9.9")
    assert origin_of("aligntune-trl", folders=[str(tmp_path)]).place == str(trl)
    assert origin_of("aligntune-trl", str(tmp_path)).place == str(trl)
    assert origin_of("aligntune-unsloth", str(tmp_path)) is None


def test_a_setting_says_it_too(installed, monkeypatch, tmp_path):
    installed()
    trl = wheel(tmp_path, "aligntune_trl")
    monkeypatch.setenv("ALIGNTUNE_SOURCE", str(tmp_path))
    assert install_command(["aligntune-trl"]) == f"pip install {trl}"
    monkeypatch.setenv("ALIGNTUNE_SOURCE", str(ROOT))
    assert origin_of("aligntune-trl").editable
    monkeypatch.setenv("ALIGNTUNE_SOURCE", "https://index.example/simple")
    found = origin_of("aligntune-trl")
    assert (found.index, found.place) == ("https://index.example/simple", "aligntune-trl==1.0.0")
    assert install_command(["aligntune-trl"]).startswith("pip install --index-url https://index.example/simple ")


def test_no_command_names_one_of_ours_alone():
    for backend in KNOWN_BACKENDS.values():
        words = install_command(backend.distributions).split()
        assert words
        assert not any(is_ours(word) for word in words)
    assert install_command(["torch>=2,<3", "trl"]) == "pip install 'torch>=2,<3' trl"
    assert install_command([]) == ""
