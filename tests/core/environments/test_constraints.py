"""A backend's distribution ships the versions that it was tested with, and they are found wherever it is."""

from __future__ import annotations

import re
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from aligntune_core.backends.installed import normalised
from aligntune_core.errors import SetupError
from aligntune_core.provisioning import torch_choice
from aligntune_core.provisioning.constraints import named, shipped, without
from aligntune_core.provisioning.pip_settings import PipSettings
from aligntune_core.provisioning.torch_choice import choose_torch

from .conftest import write_backend

ROOT = Path(__file__).parents[3]
TRL = shipped(str(ROOT / "aligntune_trl"))
UNSLOTH = shipped(str(ROOT / "aligntune_unsloth"))


def pins(lines):
    return {named(line): line.partition("==")[2] for line in lines}


def test_they_are_found_in_a_wheel_in_a_folder_and_where_it_is_installed(tmp_path):
    wheel = write_backend(tmp_path, "acme", constraints="# tested\nengine==3\n\n--pre\nother<2\n")
    assert shipped(str(wheel)) == ("engine==3", "other<2")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site-packages")
    assert shipped(str(tmp_path / "site-packages")) == ("engine==3", "other<2")
    assert shipped(str(tmp_path / "nowhere")) == ()


def test_those_of_this_project_are_what_it_was_tested_with():
    tested = {"unsloth": "2026.10.9", "trl": "1.15.0", "transformers": "5.17.0", "torch": "2.11.0"}
    assert tested.items() <= pins(UNSLOTH).items()
    assert pins(TRL)["trl"] == "1.16.0"


def test_what_tests_need_is_pinned_beside_and_nothing_twice():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert "--constraint aligntune_trl/src/aligntune_trl/constraints.txt" in lines
    own = {named(line) for line in lines if "==" in line}
    assert {"pytest", "ruff", "mypy"} <= own
    assert not own & set(pins(TRL))


@pytest.mark.parametrize(("folder", "lines"), [("aligntune_trl", TRL), ("aligntune_unsloth", UNSLOTH)])
def test_they_are_versions_that_the_distribution_takes(folder, lines):
    text = (ROOT / folder / "pyproject.toml").read_text().partition("dependencies = [")[2].partition("\n]")[0]
    needs = {normalised(each.name): each for each in map(Requirement, re.findall(r'"([^"]+)"', text))}
    assert needs
    for name, pinned in pins(lines).items():
        if name in needs:
            assert needs[name].specifier.contains(pinned), name


def test_all_that_the_trl_backend_needs_is_pinned():
    try:
        version("trl")
    except PackageNotFoundError:
        pytest.skip("the engine is not installed here")
    waiting, seen = ["aligntune-trl", "aligntune-core"], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        needs = map(Requirement, requires(name) or ())
        waiting += [normalised(each.name) for each in needs if not each.marker or each.marker.evaluate({"extra": ""})]
    unpinned = seen - set(pins(TRL)) - {"aligntune-trl", "aligntune-core", "setuptools"}
    assert unpinned == set()


@pytest.fixture
def here(monkeypatch):
    def make(torch):
        monkeypatch.setattr(torch_choice, "installed_version", {"torch": torch}.get)

    return make


SHIPPED = ("torch==2.11.0", "torchvision==0.26.0", "trl==1.15.0")


@pytest.mark.parametrize(
    ("running", "asked", "expected"),
    [
        ("2.13.0+cpu", "", (("torch==2.13.0+cpu",), "runs here; the backend was tested with 2.11.0", "cpu")),
        ("2.11.0+cu130", "", (("torch==2.11.0+cu130",), "the build that runs here", "cu130")),
        ("2.13.0", "", (("torch==2.13.0",), "the build that runs here", "")),
        ("2.13.0+cpu", "cpu", (("torch==2.13.0+cpu",), "built for CPUs", "cpu")),
        (None, "cpu", (("torch==2.11.0+cpu",), "built for CPUs", "cpu")),
        ("2.13.0+cpu", "cuda", (("torch==2.11.0,!=2.11.0+cpu",), "2.11.0 built for CUDA", "")),
        ("2.13.0+cpu", "2.12.1+cu128", (("torch==2.12.1+cu128",), "as asked", "cu128")),
        (None, "", ((), "2.11.0, which the backend was tested with", "")),
    ],
)
def test_the_torch_that_runs_here_is_taken_unless_another_is_asked_for(here, running, asked, expected):
    constraints, told, index = expected
    here(running)
    choice, rest = choose_torch(asked, SHIPPED, PipSettings())
    assert choice.constraints == constraints
    assert told in choice.told
    assert choice.index.rpartition("/")[2] == index
    # what hangs on another torch goes with it
    chosen = constraints[0].partition("==")[2] if constraints else "2.11.0"
    assert ("torchvision==0.26.0" in rest) == chosen.startswith("2.11.0")
    assert "trl==1.15.0" in rest
    assert ("torch==2.11.0" in rest) == (not constraints)


def test_no_other_index_is_asked_where_the_build_lies_in_a_folder(here, tmp_path):
    here("2.13.0+cpu")
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
    assert choose_torch("", (), PipSettings(find_links=(str(tmp_path),)))[0].index == ""
    assert choose_torch("", (), PipSettings())[0].index.endswith("/cpu")


def test_a_torch_that_is_none_is_refused(here):
    here(None)
    with pytest.raises(SetupError, match=r"there is no torch 'gpu'\. Say cpu, cuda or a version"):
        choose_torch("gpu", (), PipSettings())


def test_lines_are_left_out_by_name():
    assert without(["Torch_Vision==1", "torch == 2", "trl>1"], ["torch-vision", "torch"]) == ("trl>1",)
