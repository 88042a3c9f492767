"""What ``doctor`` finds: each kind of finding with machines, drivers and environments that are not this one."""

from __future__ import annotations

import ast
import http.server
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest

from aligntune_core import Capability, Problem, Severity, hookimpl
from aligntune_core.doctor import disk, hub, hub_cache
from aligntune_core.doctor import look as examine
from aligntune_core.doctor.backends import _own_environment, standing_findings
from aligntune_core.doctor.codes import CODES
from aligntune_core.doctor.disk import disk_findings
from aligntune_core.doctor.finding import Level, finding
from aligntune_core.doctor.gpus import gpu_findings
from aligntune_core.doctor.hub import Call, hub_endpoint, hub_finding, offline_setting, shown
from aligntune_core.doctor.hub_cache import cache_finding
from aligntune_core.doctor.look import doctor
from aligntune_core.doctor.machine import cores, memory, memory_finding
from aligntune_core.doctor.packages import Package, package_findings
from aligntune_core.doctor.redaction import Redaction
from aligntune_core.doctor.report import report
from aligntune_core.doctor.settings import settings_finding
from aligntune_core.doctor.startup import startup_findings
from aligntune_core.doctor.torch_build import TorchBuild, torch_build, torch_findings
from aligntune_core.machine import devices
from aligntune_core.machine.devices import Gpu, Nvidia, nvidia, visible

ROOT = Path(__file__).parents[2]
GIB = 2**30
H100 = "0, GPU-aaa1, NVIDIA H100 80GB HBM3, 81559, 81079, 580.159.04"
HEADER = "| NVIDIA-SMI 580.159.04     Driver Version: 580.159.04     CUDA Version: 13.0     |"


def codes(findings):
    return [each.code for each in findings]


def only(findings, code):
    (found,) = [each for each in findings if each.code == code]
    return found


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """Puts a program nvidia-smi on the path, which does what the given shell lines say."""

    def make(script):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return make


def answers(rows, header=HEADER):
    return f'case "$1" in --query-gpu*) cat <<X\n{rows}\nX\n;; *) echo "{header}";; esac'


def test_the_driver_s_table_is_read(smi):
    smi(answers(f"{H100}, 9.0\n1, GPU-bbb2, Tesla T4, 15360, [N/A], 580.159.04, 7.5"))
    found = nvidia()
    assert (found.driver, found.cuda, found.fault) == ("580.159.04", "13.0", "")
    assert found.gpus == (
        Gpu(0, "GPU-aaa1", "NVIDIA H100 80GB HBM3", 81559 * 2**20, 81079 * 2**20, (9, 0)),
        Gpu(1, "GPU-bbb2", "Tesla T4", 15360 * 2**20, None, (7, 5)),
    )
    assert found.gpus[0].precisions == ("bf16", "fp16", "fp32")
    assert found.gpus[1].precisions == ("fp16", "fp32")


def test_an_old_driver_that_knows_no_compute_capability_is_asked_without(smi):
    old = answers(H100, HEADER.replace("13.0", "11.4"))
    refusal = "Field compute_cap is not a valid field to query."
    smi(f'case "$1" in *compute_cap*) echo "{refusal}"; exit 2;; esac\n{old}')
    found = nvidia()
    assert found.gpus[0].capability is None
    assert (found.gpus[0].name, found.cuda) == ("NVIDIA H100 80GB HBM3", "11.4")


def test_a_driver_that_fails_or_hangs_is_a_fault_and_no_exception(smi, monkeypatch):
    smi("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    assert nvidia() == Nvidia(fault="Failed to initialize NVML: Driver/library version mismatch")
    monkeypatch.setattr(devices, "ANSWER_SECONDS", 0.2)
    smi("exec sleep 5")
    assert "did not answer" in nvidia().fault


def test_a_gpu_without_the_driver_s_program_is_a_fault_and_no_gpu_at_all_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(devices, "_installed", lambda: 1)
    assert nvidia().fault == "nvidia-smi is not installed"
    monkeypatch.setattr(devices, "_installed", lambda: 0)
    assert nvidia() == Nvidia()


GPUS = (Gpu(0, "GPU-aaa1", "A", 80 * GIB, 79 * GIB, (9, 0)), Gpu(1, "GPU-abb2", "B", 16 * GIB, 1 * GIB, (7, 5)))


@pytest.mark.parametrize(
    ("chosen", "used"),
    [
        (None, [0, 1]),
        ("1,0", [1, 0]),
        (" 1 ", [1]),
        ("", []),
        ("-1", []),
        ("7", []),
        ("1,7,0", [1]),
        ("0,0", [0]),
        ("GPU-ab", [1]),
        ("GPU-a", []),
        ("MIG-c0ffee", [0, 1]),
    ],
)
def test_a_process_sees_the_gpus_that_cuda_would_show_it(chosen, used):
    assert [gpu.index for gpu in visible(GPUS, chosen)] == used


def test_each_gpu_is_told_with_what_it_does():
    found = list(gpu_findings(Nvidia(GPUS, "580.1", "13.0"), "0", ("x",)))
    assert codes(found) == ["gpu", "gpu"]
    assert found[0].message == (
        "0: A, 80.0 GiB (79.0 GiB free); compute capability 9.0; bf16, fp16, fp32; driver 580.1 for CUDA 13.0"
    )
    assert "; fp16, fp32;" in found[1].message
    assert found[1].message.endswith("hidden by CUDA_VISIBLE_DEVICES")
    assert found[1].facts["visible"] is False


def test_a_gpu_that_others_use_and_gpus_that_are_hidden_are_problems():
    found = list(gpu_findings(Nvidia(GPUS, "580.1", "13.0"), None, ("x",)))
    assert only(found, "gpu-busy").message == "GPU 1 has 1.0 GiB free of 16.0 GiB."
    hidden = only(gpu_findings(Nvidia(GPUS), "7", ("x",)), "gpu-hidden")
    assert hidden.message == "CUDA_VISIBLE_DEVICES is '7', which names none of the GPUs here: 0, 1."
    assert (hidden.command, hidden.stops) == ("unset CUDA_VISIBLE_DEVICES", ("x",))
    assert codes(gpu_findings(Nvidia(fault="it is lost"), None, ("x",))) == ["gpu-driver"]
    assert codes(gpu_findings(Nvidia(), None, ("x",))) == ["no-gpu"]


@pytest.mark.parametrize(
    ("text", "build"),
    [
        (
            "__all__ = ['cuda']\n__version__ = '2.13.0+cpu'\ndebug = False\ncuda: Optional[str] = None\n",
            TorchBuild("2.13.0+cpu"),
        ),
        ("__version__ = '2.11.0+cu130'\ncuda: Optional[str] = '13.0'\n", TorchBuild("2.11.0+cu130", "13.0")),
        ("__version__ = '2.9.0'\ncuda = '12.8'\nhip = None\n", TorchBuild("2.9.0", "12.8")),
        ("__version__ = '2.9.0+rocm6.4'\ncuda = None\nhip = '6.4.4'\n", TorchBuild("2.9.0+rocm6.4", "", "6.4.4")),
        ("damaged", None),
    ],
)
def test_what_torch_was_built_for_is_read_from_its_file(tmp_path, text, build):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/version.py").write_text(text, encoding="utf-8")
    assert torch_build([str(tmp_path / "empty"), str(tmp_path)]) == build
    assert torch_build([str(tmp_path / "empty")]) is None


@pytest.mark.parametrize(
    ("build", "capability", "driver", "problem", "wheel"),
    [
        (TorchBuild("2.13.0+cpu"), (9, 0), "13.0", "torch-cpu-build", "cu130"),
        (TorchBuild("2.13.0+cpu"), (9, 0), "12.4", "torch-cpu-build", "cu126"),
        (TorchBuild("2.13.0+cpu"), (9, 0), "", "torch-cpu-build", "cu130"),
        (TorchBuild("2.13.0", "13.0"), (9, 0), "12.8", "torch-newer-than-driver", "cu128"),
        (TorchBuild("2.13.0", "13.0"), (7, 0), "13.0", "torch-without-gpu-code", "cu130"),
        (TorchBuild("2.6.0", "12.4"), (12, 0), "13.0", "torch-without-gpu-code", "cu130"),
        (TorchBuild("2.13.0", "13.0"), (9, 0), "13.0", None, ""),
        (TorchBuild("2.9.0", "12.8"), (9, 0), "12.4", None, ""),
        (TorchBuild("2.9.0", "12.8"), None, "", None, ""),
        (TorchBuild("2.9.0", "", "6.4"), (9, 0), "13.0", None, ""),
    ],
)
def test_torch_has_to_suit_the_gpu_and_its_driver(build, capability, driver, problem, wheel):
    gpus = (Gpu(0, "GPU-a", "A", capability=capability),)
    found = list(torch_findings(build, gpus, driver, ("x",)))
    assert codes(found) == ["torch", *([problem] if problem else [])]
    if problem:
        assert found[1].stops == ("x",)
        assert found[1].command.endswith(f"https://download.pytorch.org/whl/{wheel}")
    assert codes(torch_findings(build, (), "", ("x",))) == ["torch"]


def test_memory_is_what_the_kernel_tells_and_no_more_than_a_container_s_share(tmp_path):
    (tmp_path / "proc").mkdir()
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal:  16777216 kB\nMemFree: 1 kB\nMemAvailable:  8388608 kB\n")
    assert memory(tmp_path) == (16 * GIB, 8 * GIB)
    (group / "memory.max").write_text("max\n")
    assert memory(tmp_path) == (16 * GIB, 8 * GIB)
    (group / "memory.max").write_text(f"{4 * GIB}\n")
    (group / "memory.current").write_text(f"{3 * GIB}\n")
    assert memory(tmp_path) == (4 * GIB, 1 * GIB)
    (group / "cpu.max").write_text("max 100000\n")
    alone = cores(tmp_path)
    (group / "cpu.max").write_text("50000 100000\n")
    assert (cores(tmp_path), alone >= 1) == (1, True)


def test_little_memory_is_a_warning():
    assert memory_finding(16 * GIB, 8 * GIB).message == "16.0 GiB, 8.0 GiB available"
    assert codes([memory_finding(16 * GIB, GIB), memory_finding(None, None)]) == ["memory-low", "memory"]


def test_space_is_told_once_for_each_disk(tmp_path, monkeypatch):
    places = {"the working folder": tmp_path, "AlignTune's cache": tmp_path / "not/there/yet"}
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=100 * GIB))
    (found,) = disk_findings(places)
    assert found.code == "disk"
    assert found.message == (
        f"100.0 GiB free for the working folder ({tmp_path}), AlignTune's cache ({tmp_path}/not/there/yet)"
    )
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=GIB))
    (found,) = disk_findings(places)
    assert (found.code, found.level) == ("disk-low", Level.WARNING)
    assert found.command == "export ALIGNTUNE_CACHE=FOLDER_ON_A_LARGER_DISK"


def test_a_folder_that_can_not_be_written_to_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(disk.os, "access", lambda *_: False)
    found = only(disk_findings({"the working folder": tmp_path}), "folder-unwritable")
    assert (found.message, found.command) == (
        f"the working folder, {tmp_path}, can't be written to.",
        "cd FOLDER_OF_YOURS",
    )


def environment(**packages):
    """A function that finds distributions which exist for a test only: a version, and what each needs."""
    found = {name: Package(name, version, needs) for name, (version, *needs) in packages.items()}
    return found.get


def test_distributions_that_agree_are_counted():
    find = environment(engine=("2.0", "lib>=1", "gone; extra == 'all'"), lib=("1.5",), other=("1.0", "lib<1"))
    (found,) = package_findings({"x": ("engine>=1",)}, find)
    assert (found.code, found.message) == ("packages-agree", "2 distributions that engines need agree")


def test_a_version_that_another_distribution_excludes_is_a_warning_whose_command_suits_all():
    find = environment(engine=("2.0", "lib>=1.2,<2", "mid"), mid=("1.0", "Lib !=1.3"), lib=("2.1",))
    (found,) = package_findings({"x": ("engine>=1", "lib>=1")}, find)
    assert (found.code, found.level, found.subject) == ("package-conflict", Level.WARNING, "lib")
    assert found.message == "lib 2.1 is installed, but engine 2.0 needs lib<2,>=1.2."
    assert found.command == 'pip install "lib>=1,<2,>=1.2,!=1.3"'


def test_a_distribution_that_an_engine_needs_and_is_gone_stops_its_backend():
    find = environment(engine=("2.0", "lib[fast]>=1"), lib=("1.0", "turbo>=3; extra == 'fast'"), tool=("1.0",))
    (found,) = package_findings({"x": ("engine",), "y": ("tool",)}, find)
    assert (found.code, found.stops) == ("package-missing", ("x",))
    assert found.message == "lib 1.0 needs turbo>=3, which is not installed."
    assert found.command == 'pip install "turbo>=3"'


def test_what_a_backend_itself_needs_is_left_to_the_backend_s_own_finding():
    assert codes(package_findings({"x": ("engine>=3",)}, environment(engine=("2.0",)))) == ["packages-agree"]
    assert codes(package_findings({"x": ("engine>=3",)}, environment())) == []


@pytest.fixture
def installed(monkeypatch):
    """Says which distributions are installed, for the ranges of backends."""

    def make(**versions):
        for module in ("backends.requirements", "doctor.backends"):
            monkeypatch.setattr(f"aligntune_core.{module}.installed_version", versions.get)

    return make


def test_a_backend_is_told_with_its_ranges(backends, fake, installed):
    installed(engine="1.5", lib="2.0")
    known = backends(fake("one", requirements=("engine>=1,<2", "lib")))
    (found,) = [each for each in standing_findings(known, "cpu") if each.subject == "one"]
    assert (found.code, found.message) == ("backend-ready", "one: engine 1.5 (>=1,<2), lib 2.0 (any)")
    assert found.facts["requirements"][0] == {
        "name": "engine",
        "range": ">=1,<2",
        "installed": "1.5",
        "satisfied": True,
    }


def test_backends_that_can_not_share_an_environment_are_told_apart(backends, fake, installed):
    installed(engine="2.5")
    known = backends(
        fake("one", requirements=("engine>=2",)),
        fake("two", requirements=("engine>=1,<2", "more"), install="pip install two"),
    )
    found = list(standing_findings(known, "cpu"))
    unmet, apart = only(found, "backend-unmet"), only(found, "backends-apart")
    assert unmet.message == "backend 'two' lacks what it needs: engine>=1,<2 (2.5 is installed); more (not installed)."
    assert apart.message == "engine 2.5 suits 'one' (>=2), not 'two' (>=1,<2)."
    # one of this process alone has no distribution to make an environment from, unlike one that is installed
    assert (unmet.command, apart.command, unmet.stops, apart.stops) == ("", "", ("two",), ())
    one, two = replace(known.get("one"), name="trl"), replace(known.get("two"), origin="engine 2.5")
    assert _own_environment(one) == "aligntune env create trl"
    assert _own_environment(two) == "aligntune env create two --from engine"
    # without a rival, what is missing is installed here
    alone = backends(fake("two", requirements=("engine>=1,<2",), install="pip install two"))
    assert only(standing_findings(alone, "cpu"), "backend-unmet").command == "pip install two"


def test_a_backend_for_another_device_is_stopped(backends, fake):
    known = backends(fake("gpu", Capability("sft", features={"full", "cuda"})))
    assert only(standing_findings(known, "cpu"), "backend-device").stops == ("gpu",)
    assert "backend-device" not in codes(standing_findings(known, "cuda"))


class Diagnosing:
    """Gives a fake backend the hook that says what stands in its way."""

    def __init__(self, backend, problems):
        self.info, self.problems = backend.info, problems
        self.aligntune_backend_info = backend.aligntune_backend_info
        self.aligntune_create_trainer = backend.aligntune_create_trainer

    @hookimpl
    def aligntune_diagnose(self):
        if isinstance(self.problems, BaseException):
            raise self.problems
        return self.problems


def test_what_a_backend_says_stands_in_its_way_is_told(backends, fake):
    doubt = Problem("engine-slow", "it is slow.", "Wait.", severity=Severity.WARNING)
    known = backends(Diagnosing(fake("x"), [Problem("engine-version", "it can't train.", "Take another."), doubt]))
    found = list(standing_findings(known, "cpu"))
    stopping = only(found, "engine-version")
    assert (stopping.message, stopping.fix, stopping.stops) == ("it can't train.", "Take another.", ("x",))
    assert (only(found, "engine-slow").level, only(found, "engine-slow").stops) == (Level.WARNING, ())
    told = doctor(network=False, backends=known)
    assert not told.ok
    assert told.findings[0].code == "engine-version"


@pytest.mark.parametrize("wrong", [RuntimeError("lost"), ["not a problem"], SystemExit(3)])
def test_a_backend_that_fails_to_look_is_said_to(backends, fake, wrong):
    found = only(standing_findings(backends(Diagnosing(fake("x"), wrong)), "cpu"), "backend-broken")
    assert found.stops == ("x",)
    assert "failed while it looked at the environment" in found.message


def test_what_a_process_imported_too_early_stops_the_backend(backends, fake, monkeypatch):
    monkeypatch.setitem(sys.modules, "rewriter", SimpleNamespace())
    known = backends(fake("x", conflicts=("rewriter",)))
    assert only(standing_findings(known, "cpu"), "process-conflict").stops == ("x",)


def test_a_file_that_imports_an_engine_at_every_start_is_named(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os\nimport unsloth  # fast\n")
    (tmp_path / "paths.pth").write_text("/to/import torch\nimport sys; sys.path  # torch\n")
    (tmp_path / "early.pth").write_text("import os; import torch\n")
    places = [str(tmp_path), str(tmp_path / "missing")]
    found = list(startup_findings({"unsloth", "torch", "os"}, places))
    assert codes(found) == ["engines-imported", "startup-imports", "startup-imports"]
    assert found[0].message == "torch, unsloth had been imported before"
    assert [each.subject for each in found[1:]] == [str(tmp_path / "sitecustomize.py"), str(tmp_path / "early.pth")]
    assert "import unsloth" in found[1].message
    # it is said only of what was imported
    assert codes(startup_findings({"trl"}, places)) == ["engines-imported"]
    assert codes(startup_findings({"os"}, places)) == ["process-clean"]


@pytest.fixture
def server():
    """Starts a hub that answers with a status, after a while."""
    started = []

    def make(status, seconds=0.0):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                time.sleep(seconds)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        started.append(listening)
        return f"http://127.0.0.1:{listening.server_port}"

    yield make
    for listening in started:
        listening.shutdown()


@pytest.fixture
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("_no_proxy")
@pytest.mark.parametrize(("status", "code"), [(200, "hub-reachable"), (404, "hub-reachable"), (503, "hub-unreachable")])
def test_a_hub_that_answers_is_reachable(server, status, code):
    address = server(status)
    assert hub_finding(address, "", Call(address)).code == code


@pytest.mark.usefixtures("_no_proxy")
def test_a_hub_that_does_not_answer_is_a_finding_in_time(server):
    address = server(200, seconds=3)
    began = time.monotonic()
    found = hub_finding(address, "", Call(address, seconds=0.2))
    assert (found.code, time.monotonic() - began < 2) == ("hub-unreachable", True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    found = hub_finding(address, "", Call(address))
    assert found.message == f"{address} can't be reached: connection refused."
    assert found.command == f"curl -I {address}"


@pytest.mark.usefixtures("_no_proxy")
@pytest.mark.parametrize(
    "address",
    ["https://me:passw0rd@[::bad", "http://me:passw0rd@127.0.0.1:1", "ftp://me:passw0rd@h", "me:passw0rd", "http://"],
)
def test_no_address_breaks_it_or_is_told_with_its_password(address):
    found = hub_finding(address, "", Call(address, seconds=1))
    assert found.code == "hub-unreachable"
    assert "passw0rd" not in str(found.to_dict())
    assert "no answer" not in found.message


def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(hub, "_asked", lambda *_: time.sleep(3) or (True, ""))
    began = time.monotonic()
    found = hub_finding("https://hub", "", Call("https://hub", seconds=0.1))
    assert found.message == "https://hub can't be reached: there was no answer within 0.1 seconds."
    assert time.monotonic() - began < 2


def test_a_proxy_that_refuses_is_told_in_its_words(monkeypatch):
    def urlopen(*_, **__):
        raise URLError(OSError("Tunnel connection failed: 407 Proxy Authentication Required"))

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    found = hub_finding("https://hub", "", Call("https://hub"))
    assert "tunnel connection failed: 407 proxy authentication required." in found.message


def test_a_hub_that_may_not_be_asked_is_not():
    assert offline_setting({"HF_HUB_OFFLINE": "1"}) == "HF_HUB_OFFLINE"
    assert offline_setting({"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "yes"}) == "TRANSFORMERS_OFFLINE"
    assert offline_setting({"HF_HUB_OFFLINE": "0"}) == ""
    found = hub_finding("https://hub", "HF_HUB_OFFLINE", None)
    assert (found.code, found.command) == ("hub-offline", "unset HF_HUB_OFFLINE")
    assert hub_finding("https://hub", "", None).code == "hub-not-asked"


def test_the_hub_s_address_is_the_one_that_would_be_used(tmp_path):
    (tmp_path / "huggingface_hub").mkdir()
    (tmp_path / "huggingface_hub/constants.py").write_text('import os\n_HF_DEFAULT_ENDPOINT = "https://hub.test"\n')
    assert hub_endpoint({"HF_ENDPOINT": "https://mirror.test/"}, []) == "https://mirror.test"
    assert hub_endpoint({}, [str(tmp_path)]) == "https://hub.test"
    assert hub_endpoint({}, []) == "https://huggingface.co"
    assert shown("https://me:pw@mirror.test:8080/hf?token=x") == "https://mirror.test:8080/hf"


def test_the_cache_is_measured_without_counting_links_twice(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert cache_finding().message == f"{tmp_path}/hub is not there yet"
    blob = tmp_path / "hub/models--org--m/blobs/abc"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"x" * 4096)
    link = tmp_path / "hub/models--org--m/snapshots/1/model.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    assert cache_finding().facts == {"path": f"{tmp_path}/hub", "bytes": 4096, "models": 1, "whole": True}
    monkeypatch.setattr(hub_cache.time, "monotonic", iter(range(100)).__next__)
    assert cache_finding().facts["whole"] is False


def test_settings_are_told_and_secrets_only_as_set(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    secret = {
        "HF_TOKEN": "hf_secret",
        "PIP_INDEX_URL": "https://me:passw0rd@index",
        "https_proxy": "http://a:passw0rd@p",
    }
    found = settings_finding({"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "4", "OTHER": "x", **secret})
    assert found.message == (
        "CUDA_VISIBLE_DEVICES=, OMP_NUM_THREADS=4, HF_TOKEN set, WANDB_API_KEY not set, HTTPS_PROXY set, "
        "PIP_INDEX_URL set"
    )
    (tmp_path / "token").write_text("hf_secret")
    assert settings_finding({}).facts["HF_TOKEN"] == "not set, but stored by a login"


def test_secrets_and_the_home_folder_are_taken_out_wherever_they_stand():
    clean = Redaction(
        {
            "MY_API_KEY": "k-123456",
            "SMTP_PASSWORD": "ho",
            "HTTPS_PROXY": "http://me:p%40ssw0rd@proxy:8080",
            "HTTP_PROXY": "http://bob:a%40b@proxy",
            "TOKENIZERS_PARALLELISM": "somewhat",
        },
        home="/home/ann",
    )
    assert clean.text("k-123456 at /home/ann/x, /home/ann, /home/anna") == "*** at ~/x, ~, /home/anna"
    assert (
        clean.text("https://user:pw@index.test/simple https://hub/@x") == "https://***@index.test/simple https://hub/@x"
    )
    assert clean.text("bad port: 'p@ssw0rd@proxy' or p%40ssw0rd") == "bad port: '***@proxy' or ***"
    assert clean.text("bad port: 'bob:a@b@proxy'") == "bad port: '***@proxy'"
    assert clean.text("who is somewhat tired") == "who is somewhat tired"
    told = finding(
        "gpu", "k-123456", subject="k-123456", fix="k-123456", command="k-123456", facts={"k-123456": ["k-123456"]}
    )
    assert "k-123456" not in str(clean.finding(told))
    assert Redaction({}, home="/").text("/usr/bin") == "/usr/bin"


def test_an_error_is_what_keeps_the_last_backend_from_training():
    stop = finding("backend-unmet", "one", stops=("one",))
    low, fine = finding("memory-low", "little"), finding("torch", "here")
    found = report("1", "cpu", ["one", "two"], [fine, low, stop])
    assert (found.ok, found.able) == (True, ("two",))
    assert [(each.code, each.level) for each in found.findings] == [
        ("memory-low", Level.WARNING),
        ("backend-unmet", Level.WARNING),
        ("torch", Level.OK),
    ]
    found = report("1", "cpu", ["one"], [fine, low, stop])
    assert (found.ok, found.findings[0].code, found.findings[0].level) == (False, "backend-unmet", Level.ERROR)


def test_a_part_that_fails_does_not_keep_the_others_from_being_told(backends, monkeypatch):
    def lost():
        raise FileNotFoundError("no working folder")

    monkeypatch.setattr(examine, "disk_findings", lost)
    found = doctor(network=False, backends=backends("x"))
    assert found.ok
    assert only(found.findings, "not-examined").message == (
        "the disks could not be looked at: FileNotFoundError: no working folder."
    )
    assert {"system", "backend-ready"} <= set(codes(found.findings))


def test_without_any_backend_there_is_a_command_that_installs_one():
    from aligntune_core.backends.origins import install_command
    from aligntune_core.backends.registry import Registry

    found = doctor(network=False, backends=Registry([], {}))
    assert not found.ok
    assert found.findings[0].code == "no-backend"
    assert found.findings[0].command == install_command(["aligntune-trl"])


def written_codes():
    folder = ROOT / "aligntune_core/src/aligntune_core"
    for path in [*(folder / "doctor").glob("*.py"), folder / "check" / "decide.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "finding" and node.args:
                assert isinstance(node.args[0], ast.Constant), ast.unparse(node)
                yield node.args[0].value


def test_every_code_stands_in_the_table_and_is_used():
    # these come from the core's own look at a process, and at plugins
    elsewhere = {"process-conflict", "import-order", "backend-record", "backend-hook"}
    elsewhere |= {"algorithm-clash", "backend-job-key", "backend-side-effect"}
    assert set(written_codes()) | elsewhere == set(CODES)


def test_the_page_has_the_table_of_codes():
    page = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    rows = [f"| `{code}` | {each.level} | {each.meaning} | {each.why} |" for code, each in CODES.items()]
    written = [line for line in page.splitlines() if line.startswith("| `")]
    assert written == [row.replace("|  |", "| |") for row in rows]
