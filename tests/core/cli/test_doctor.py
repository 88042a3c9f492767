"""``aligntune doctor``: what a person reads, what a program reads, and what nobody may read."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import aligntune as package
from aligntune_core.backends import registry as plugins
from aligntune_core.doctor.codes import CODES
from aligntune_core.job import Job

SECRETS = {
    "HF_TOKEN": "hf_secretvalue",
    "WANDB_API_KEY": "wandbsecretvalue",
    "PIP_INDEX_URL": "https://me:indexsecret@index.test/simple",
    "HTTPS_PROXY": "http://me:proxysecret@127.0.0.1:1",
    "HF_ENDPOINT": "https://me:endpointsecret@hub.test",
    "OPENAI_API_KEY": "openaisecretvalue",
}
LEAKS = ("secretvalue", "indexsecret", "proxysecret", "endpointsecret", "me:")


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch, tmp_path):
    """A machine without a GPU, whatever this one has, that may not ask the hub."""
    monkeypatch.setattr("aligntune_core.machine.devices._installed", lambda: 0)
    monkeypatch.setattr("aligntune_core.check.decide.device", lambda: "cpu")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def only_toy(monkeypatch, toy):
    monkeypatch.setenv("ALIGNTUNE_ONLY_BACKENDS", "toy")
    plugins.registry.cache_clear()
    plugins.registry().register("toy", toy.ToyBackend())


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """A machine with one H100, as far as its driver tells."""
    folder = tmp_path / "driver"
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(
        '#!/bin/sh\ncase "$1" in\n'
        "--query-gpu*) echo '0, GPU-a1, NVIDIA H100 80GB HBM3, 81559, 81079, 580.159.04, 9.0';;\n"
        "*) echo 'Driver Version: 580.159.04  CUDA Version: 13.0';; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr("aligntune_core.machine.devices._installed", lambda: 1)


@pytest.fixture
def cpu_torch(monkeypatch, tmp_path):
    """The CPU build of torch, first on the path."""
    (tmp_path / "site/torch").mkdir(parents=True)
    (tmp_path / "site/torch/version.py").write_text("__version__ = '2.13.0+cpu'\ncuda = None\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.usefixtures("only_toy")
def test_training_that_works_is_said_first_then_the_problems_then_the_rest(aligntune):
    said = aligntune("doctor")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("Training works here on the CPU, with backend 'toy'. ")
    heads = [line for line in lines if line.isalpha() and line.islower()]
    assert heads == ["warnings", "machine", "devices", "backends", "environment", "hub"]
    assert "  backend-disabled: backend 'trl' is disabled: ALIGNTUNE_ONLY_BACKENDS does not name it." in lines
    assert lines[lines.index("    $ unset HF_HUB_OFFLINE") - 1] == "    To download:"
    assert any(line.split()[:2] == ["backend-ready", "toy:"] for line in lines)
    assert "\x1b" not in said.out


@pytest.mark.usefixtures("only_toy")
@pytest.mark.parametrize("columns", [80, 120])
def test_all_but_commands_fits_the_columns(aligntune, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = aligntune("doctor").out.splitlines()
    too_long = [line for line in lines if len(line) > columns and not line.startswith("    $ ")]
    # a path has no place to be broken at
    assert [line for line in too_long if str(Path.cwd())[:20] not in line] == []


@pytest.mark.usefixtures("only_toy")
def test_programs_get_every_finding_with_its_code(aligntune):
    said = aligntune("doctor", "--json")
    assert said.code == 0
    assert list(said.json) == ["ok", "version", "device", "can_train", "findings"]
    assert (said.json["ok"], said.json["device"], said.json["can_train"]) == (True, "cpu", ["toy"])
    for found in said.json["findings"]:
        assert list(found) == [
            *("code", "level", "section", "subject", "message", "why", "fix", "command", "stops", "facts"),
        ]
        assert found["code"] in CODES
        assert found["level"] == "ok" or found["fix"] or found["command"], found
    levels = [found["level"] for found in said.json["findings"]]
    assert levels == sorted(levels, key=["error", "warning", "ok"].index)
    assert {"system", "cores", "disk", "settings", "no-gpu", "backend-ready", "hub-offline"} <= {
        found["code"] for found in said.json["findings"]
    }


def test_nothing_that_can_train_is_exit_code_one_and_says_what_to_install(aligntune, monkeypatch):
    monkeypatch.setenv("ALIGNTUNE_ONLY_BACKENDS", "none")
    plugins.registry.cache_clear()
    said = aligntune("doctor")
    assert said.code == 1
    assert said.out.startswith("Nothing can be trained here on the CPU: 1 error, ")
    assert "\nerrors\n  no-backend: " in said.out
    assert aligntune("doctor", "--json").json["ok"] is False


@pytest.mark.usefixtures("only_toy", "gpu", "cpu_torch")
def test_a_gpu_with_a_build_of_torch_for_cpus_is_told_with_the_command_that_mends_it(aligntune):
    found = {each["code"]: each for each in aligntune("doctor", "--json").json["findings"]}
    assert found["gpu"]["facts"]["name"] == "NVIDIA H100 80GB HBM3"
    assert found["gpu"]["facts"]["cuda"] == "13.0"
    problem = found["torch-cpu-build"]
    assert problem["message"] == "there is a GPU here (NVIDIA H100 80GB HBM3), and torch 2.13.0+cpu is built for CPUs."
    assert problem["command"] == (
        "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130"
    )
    # the toy needs no torch, and so it trains
    assert problem["level"] == "warning"


@pytest.mark.usefixtures("gpu", "cpu_torch")
def test_a_gpu_that_torch_can_not_use_stops_the_last_backend_that_needs_torch(aligntune, monkeypatch, toy):
    monkeypatch.setenv("ALIGNTUNE_ONLY_BACKENDS", "toy")
    plugins.registry.cache_clear()
    known = plugins.registry()
    backend = known.register("toy", toy.ToyBackend())
    needy = replace(backend, info=replace(backend.info, requirements=("torch",)))
    monkeypatch.setitem(known._backends, "toy", needy)
    said = aligntune("doctor")
    assert said.code == 1
    assert said.out.startswith("Nothing can be trained here on the GPU: 1 error")


@pytest.mark.parametrize("words", [("doctor",), ("doctor", "--json")])
@pytest.mark.parametrize("offline", ["1", "0"])
def test_no_secret_is_told(aligntune, monkeypatch, words, offline):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    said = aligntune(*words)
    assert not [leak for leak in LEAKS if leak in said.out + said.err]
    assert "hub.test" in said.out
    for name in ("HF_TOKEN", "WANDB_API_KEY", "PIP_INDEX_URL", "HTTPS_PROXY"):
        assert (f'"{name}": "set"' if "--json" in words else f"{name} set") in said.out


@pytest.mark.parametrize("words", [("doctor",), ("doctor", "--json")])
def test_the_home_folder_is_not_told(aligntune, monkeypatch, tmp_path, words):
    home = tmp_path / "ann-the-user"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    monkeypatch.chdir(home)
    said = aligntune(*words)
    assert "ann-the-user" not in said.out
    assert "~/hf/hub" in said.out


def test_offline_does_not_ask_the_hub(aligntune, monkeypatch):
    def asked(*_):
        raise AssertionError

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("aligntune_core.doctor.hub._asked", asked)
    found = aligntune("doctor", "--offline", "--json").json["findings"]
    assert "hub-not-asked" in [each["code"] for each in found]


def test_the_help_says_what_the_exit_codes_mean(aligntune):
    words = " ".join(aligntune("doctor", "--help").out.split())
    assert "Exits with 0 if at least one backend can train" in words


def test_python_has_it_too():
    told = package.doctor(network=False)
    assert told.findings[-1].code == "hub-cache"
    assert f"{told.findings[-1].level} hub-cache: " in str(told)


def test_it_imports_no_engine():
    code = (
        "import sys, aligntune\n"
        "aligntune.doctor(network=False)\n"
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets', 'huggingface_hub', 'numpy', 'rich'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_unsloth_says_without_a_job_what_it_says_of_every_job(monkeypatch):
    plugin = pytest.importorskip("aligntune_unsloth.plugin")
    monkeypatch.setenv("WORLD_SIZE", "2")
    (told,) = plugin.aligntune_diagnose()
    (of_a_job,) = plugin.aligntune_check_job(Job(algorithm="sft", model_name="m", dataset_name="d"))
    assert (told.code, told.message) == (of_a_job.code, of_a_job.message)
