"""The core from its wheel in a fresh environment: no machine-learning package, and every question answered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

JOB = "algorithm: sft\nmodel_name: builtin:tiny\ndataset_name: builtin:instructions\nbackend: trl\n"


@pytest.fixture
def install(wheels):
    """The command that installs the TRL backend: from the wheel beside the one that the core came from."""
    return f"pip install {wheels.files['aligntune-trl']}"


def other_pythons() -> list[str]:
    """Interpreters of supported minor versions other than this one's."""
    found = []
    for minor in (11, 12, 13, 14):
        homes = sorted(Path("~/.pyenv/versions").expanduser().glob(f"3.{minor}.*/bin/python"))
        named = shutil.which(f"python3.{minor}")
        for candidate in [*map(str, homes), *([named] if named else [])]:
            asked = [candidate, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"]
            told = subprocess.run(asked, capture_output=True, text=True, check=False)
            if told.stdout.split() == ["3", str(minor)] and minor != sys.version_info.minor:
                found.append(candidate)
                break
    return found


@pytest.fixture(scope="module")
def newest(core_only_with):
    """The environment of the newest other Python here."""
    pythons = other_pythons()
    if not pythons:
        pytest.skip("there is no other supported Python here: looked on the path and in ~/.pyenv/versions")
    return core_only_with(pythons[-1])


@pytest.fixture(params=["core_only", "newest"])
def environment(request):
    """The environment of this Python, then that of another one."""
    return request.getfixturevalue(request.param)


def test_installs_no_machine_learning_package(environment):
    heavy = {
        "torch",
        "numpy",
        "transformers",
        "trl",
        "peft",
        "datasets",
        "accelerate",
        "tokenizers",
        "pandas",
        "pyarrow",
    }
    found = {name.lower() for name in environment.installed()}
    assert "aligntune-core" in found
    assert not found & {*heavy, "aligntune", "aligntune-trl", "aligntune-unsloth"}
    assert len(found) < 25


def test_backends_that_are_missing_say_how_to_install_them(environment, install, wheels):
    found = environment.json("backends")
    assert {name: each["status"] for name, each in found.items()} == {"trl": "missing", "unsloth": "missing"}
    assert found["trl"]["install"] == install
    assert found["unsloth"]["install"] == f"{install} {wheels.files['aligntune-unsloth']}"
    assert install in environment.aligntune("backends").stdout


def test_capabilities_are_answered(environment):
    told = environment.json("capabilities")
    assert told["backends"]["trl"]["status"] == "missing"
    assert told["capabilities"] == []
    assert environment.aligntune("capabilities").stdout


def test_a_job_for_a_missing_backend_is_refused_with_the_command_that_installs_it(environment, install):
    (environment.work / "job.yaml").write_text(JOB)
    told = environment.json("check", "job.yaml", code=2)
    assert not told["ok"]
    assert [problem["code"] for problem in told["problems"]] == ["backend-not-installed"]
    assert install in told["problems"][0]["fix"]
    trained = environment.aligntune("train", "job.yaml", code=2)
    assert install in trained.stderr


def test_a_python_program_gets_the_same_refusal(environment):
    told = environment.script(
        "import json\n"
        "from aligntune.core.backend_factory import create_sft_trainer\n"
        "from aligntune import JobError\n"
        "try:\n"
        "    create_sft_trainer(model_name='builtin:tiny', dataset_name='builtin:instructions', backend='trl')\n"
        "except JobError as error:\n"
        "    print(json.dumps(error.to_dict()))\n"
    )
    assert [problem["code"] for problem in told["problems"]] == ["backend-not-installed"]


def test_quickstart_without_an_engine_is_refused(environment, install):
    assert install in environment.aligntune("quickstart", code=2).stderr


def test_a_plugin_whose_engine_is_missing_still_says_what_it_would_do(core_only, wheels, pip):
    folder = core_only.work.parent / "plugin"
    pip(
        core_only, "install", "--no-deps", "--no-index", "--target", str(folder), str(wheels.files["aligntune-minimal"])
    )
    told = json.loads(core_only.aligntune("capabilities", "--json", PYTHONPATH=str(folder)).stdout)
    found = told["backends"]["minimal"]
    assert (found["status"], found["version"]) == ("missing", "0.1.0")
    assert found["install"] == "pip install 'datasets>=4.7' 'jinja2>=3.1' 'torch>=2.6' 'transformers>=4.56.2'"
    assert "torch>=2.6 (torch is not installed)" in found["reason"]
    assert {row["algorithm"] for row in told["capabilities"] if row["support"] != "unsupported"} == {
        "sft",
        "unlikelihood",
    }
    words = ["algorithm=unlike", "model_name=builtin:tiny", "dataset_name=builtin:instructions", "backend=minimal"]
    refused = core_only.aligntune("check", *words, code=2, PYTHONPATH=str(folder))
    assert "pip install 'datasets>=4.7'" in refused.stdout
