"""What the wheel of each distribution holds and says, and what its extras pull in."""

from __future__ import annotations

import email
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from email.message import Message

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
OURS = ("aligntune", "aligntune-core", "aligntune-trl", "aligntune-unsloth")
SOURCES = {
    "aligntune": None,
    "aligntune-core": ROOT / "aligntune_core/src",
    "aligntune-trl": ROOT / "aligntune_trl/src",
    "aligntune-unsloth": ROOT / "aligntune_unsloth/src",
    "aligntune-minimal": ROOT / "tests/plugins/minimal/src",
}


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def code(wheel: Path) -> set[str]:
    return {name for name in contents(wheel) if ".dist-info/" not in name}


def read(wheel: Path, ending: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(f".dist-info/{ending}")]
        return archive.read(name).decode()


def metadata(wheel: Path) -> Message:
    return email.message_from_string(read(wheel, "METADATA"))


def requirements(wheel: Path) -> set[str]:
    return {str(Requirement(text)) for text in metadata(wheel).get_all("Requires-Dist", [])}


@pytest.mark.parametrize("name", SOURCES)
def test_holds_its_source_whole_and_nothing_else(wheels, name):
    source = SOURCES[name]
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source.rglob("*") if source else ())
        if path.is_file() and path.suffix != ".pyc"
    }
    assert code(wheels.files[name]) == wanted
    assert not [path for path in wanted if "test_" in path or "conftest" in path or "/tests/" in path]


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("aligntune-core", "aligntune"),
        ("aligntune-core", "aligntune_core"),
        ("aligntune-trl", "aligntune_trl"),
        ("aligntune-unsloth", "aligntune_unsloth"),
        ("aligntune-minimal", "aligntune_minimal"),
    ],
)
def test_holds_a_typed_package(wheels, name, package):
    assert {f"{package}/__init__.py", f"{package}/py.typed"} <= code(wheels.files[name])


def test_the_user_facing_distribution_holds_no_code(wheels):
    assert code(wheels.files["aligntune"]) == set()


def test_core_holds_the_embedded_datasets(wheels):
    folder = "aligntune_core/data/builtin/"
    data = {name.removeprefix(folder) for name in code(wheels.files["aligntune-core"]) if name.startswith(folder)}
    for dataset in ("instructions", "preferences"):
        assert {f"{dataset}.train.jsonl", f"{dataset}.test.jsonl"} <= data


@pytest.mark.parametrize("name", OURS)
def test_says_who_it_is(wheels, name):
    said = metadata(wheels.files[name])
    assert said["Name"] == name
    assert said["Version"] == "1.0.0"
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Requires-Python"] == ">=3.11"
    assert said.get_payload().startswith("# "), "the readme is the long description"
    assert "Apache License" in read(wheels.files[name], "licenses/LICENSE")


def test_entry_points_name_the_backends(wheels):
    assert "aligntune = aligntune_core.cli.main:main" in read(wheels.files["aligntune-core"], "entry_points.txt")
    assert "trl = aligntune_trl.plugin" in read(wheels.files["aligntune-trl"], "entry_points.txt")
    assert "unsloth = aligntune_unsloth.plugin" in read(wheels.files["aligntune-unsloth"], "entry_points.txt")


@pytest.mark.parametrize("name", ["trl", "unsloth"])
def test_what_a_plugin_says_is_in_its_wheel_and_named(wheels, name):
    wheel = wheels.files[f"aligntune-{name}"]
    said = read(wheel, "entry_points.txt")
    assert f"[aligntune_core.backend_info]\n{name} = aligntune_{name}:backend.json" in said
    assert f"aligntune_{name}/backend.json" in code(wheel)


def test_extras_pull_the_backends_of_the_same_version(wheels):
    said = requirements(wheels.files["aligntune"])
    assert said == {
        "aligntune-core==1.0.0",
        'aligntune-trl==1.0.0; extra == "trl"',
        'aligntune-unsloth==1.0.0; extra == "unsloth"',
        'aligntune-trl==1.0.0; extra == "all"',
        'aligntune-unsloth==1.0.0; extra == "all"',
    }
    assert not {text for text in requirements(wheels.files["aligntune-trl"]) if "unsloth" in text}


def test_requirements_are_those_that_the_plugin_declares(wheels):
    # what pip installs and what the registry accepts must not part
    from aligntune_trl.plugin import aligntune_backend_info

    declared = {str(Requirement(text)) for text in aligntune_backend_info().requirements}
    assert declared <= requirements(wheels.files["aligntune-trl"])


def test_the_trl_extra_installs_core_and_trl_backend_only(full):
    assert set(full.installed()) == {"aligntune", "aligntune-core", "aligntune-trl", "aligntune-minimal"}


def test_the_unsloth_extra_asks_for_unsloth(full, wheels, pip):
    words = ("install", "--dry-run", "--no-index", "--find-links", str(wheels.ours), "aligntune[unsloth]")
    assert "No matching distribution found for unsloth>=2026.10" in pip(full, *words, code=1).stderr
