"""A folder for environments, wheels that were made on the spot, and a stand-in for uv that installs nothing else."""

from __future__ import annotations

import json
import os
import site
import stat
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from aligntune_core import BackendInfo, Capability
from aligntune_core.backends.recorded import Recorded, to_values
from aligntune_core.provisioning.request import Request

ROOT = Path(__file__).parents[3]
LEFT_OUT = ("aligntune", "_aligntune", "__editable__", "unsloth")

FAKE_UV = """
import json, os, subprocess, sys, time, zipfile
from pathlib import Path

words = sys.argv[1:]
with open(os.environ["FAKE_UV_LOG"], "a") as file:
    file.write(json.dumps(words) + "\\n")
if words[0] == "venv":
    subprocess.run([words[words.index("--python") + 1], "-m", "venv", "--without-pip", words[-1]], check=True)
    sys.exit()
python = Path(words[words.index("--python") + 1])
packages = next(python.parents[1].glob("lib/python3*/site-packages"))
if os.environ.get("FAKE_UV_FAILS"):
    print("no solution was found: " + os.environ["FAKE_UV_FAILS"])
    sys.exit(1)
Path(os.environ["FAKE_UV_LOG"] + ".installing").touch()
time.sleep(float(os.environ.get("FAKE_UV_SECONDS", "0")))
(packages / "third_party.pth").write_text(os.environ["FAKE_UV_THIRD_PARTY"] + "\\n")
if "--requirement" in words:
    lines = Path(words[words.index("--requirement") + 1]).read_text().splitlines()
    words += [line.partition(" @ file://")[2] for line in lines if " @ " in line]
for word in words:
    if word.endswith(".whl"):
        with zipfile.ZipFile(word) as wheel:
            wheel.extractall(packages)
            (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
        if not os.environ.get("FAKE_UV_FROM_AN_INDEX"):
            url = {"url": Path(word).as_uri(), "archive_info": {}}
            (packages / info / "direct_url.json").write_text(json.dumps(url))
if "--editable" in words:
    folder = Path(words[words.index("--editable") + 1])
    (packages / "checkout.pth").write_text(str(folder / "src") + "\\n")
    info = packages / "aligntune_core-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: aligntune-core\\nVersion: 1.0.0\\n")
    url = {"url": folder.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(url))
"""

PLUGIN = """
from aligntune_core import BackendInfo, Capability, hookimpl

@hookimpl
def aligntune_backend_info():
    return BackendInfo("{name}", "A backend for tests", 1, (Capability("sft", features=("full", "cpu")),),
        requirements={requirements}, constraints="constraints.txt")

@hookimpl
def aligntune_create_trainer(job, emit):
    raise NotImplementedError
"""


def write_wheel(folder: Path, name: str, files: dict[str, str], *, version="1.0", requires=(), points="") -> Path:
    """A wheel of that distribution with these files."""
    stem = f"{name.replace('-', '_')}-{version}"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    info = {"METADATA": metadata, "WHEEL": tags, "entry_points.txt": points}
    everything = {**files, **{f"{stem}.dist-info/{each}": text for each, text in info.items()}}
    record = "".join(f"{each},,\n" for each in everything) + f"{stem}.dist-info/RECORD,,\n"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in {**everything, f"{stem}.dist-info/RECORD": record}.items():
            wheel.writestr(each, text)
    return path


def write_backend(folder: Path, name: str, *, requirements=(), constraints="") -> Path:
    """The wheel of a backend that trains nothing."""
    package = f"aligntune_{name}"
    rows = (Capability("sft", features=frozenset({"full", "cpu"})),)
    info = BackendInfo(name, "A backend for tests", 1, rows, requirements, constraints="constraints.txt")
    files = {
        f"{package}/__init__.py": "",
        f"{package}/plugin.py": PLUGIN.format(name=name, requirements=tuple(requirements)),
        f"{package}/backend.json": json.dumps(to_values(Recorded(info))),
        f"{package}/constraints.txt": constraints,
    }
    points = f"""
        [aligntune_core.backends]
        {name} = {package}.plugin
        [aligntune_core.backend_info]
        {name} = {package}:backend.json
        """
    requires = ("aligntune-core>=1.0", *requirements)
    return write_wheel(folder, f"aligntune-{name}", files, requires=requires, points=textwrap.dedent(points))


def write_core(folder: Path) -> Path:
    """The wheel of the core, from its sources."""
    sources = ROOT / "aligntune_core/src"
    files = {
        str(path.relative_to(sources)): path.read_text(encoding="utf-8")
        for package in ("aligntune", "aligntune_core")
        for path in (sources / package).rglob("*.py")
    }
    needs = ("packaging>=24", "pluggy>=1.7")
    program = "[console_scripts]\naligntune = aligntune_core.cli.main:main\n"
    return write_wheel(folder, "aligntune-core", files, version="1.0.0", requires=needs, points=program)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """A folder with the wheels of the core and of the backend ``tiny``."""
    folder = tmp_path_factory.mktemp("wheels")
    write_core(folder)
    write_backend(folder, "tiny", requirements=("pluggy>=1.5",), constraints="pluggy>=1\ntorch==2.0.0\n")
    return folder


@pytest.fixture(scope="session")
def third_party(tmp_path_factory) -> Path:
    """A folder of links to what is installed here, without anything of AlignTune."""
    folder = tmp_path_factory.mktemp("third-party")
    for packages in site.getsitepackages():
        for entry in Path(packages).iterdir():
            if not entry.name.lower().startswith(LEFT_OUT) and entry.suffix != ".pth":
                (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The folder that environments of a test are in."""
    monkeypatch.setenv("ALIGNTUNE_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.delenv("ALIGNTUNE_SOURCE", raising=False)
    return tmp_path / "environments"


@pytest.fixture
def uv(tmp_path, monkeypatch, third_party) -> Path:
    """A stand-in for uv is the one that is found; the file has what it was told."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "uv"
    program.write_text(f"#!{sys.executable}\n{FAKE_UV}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    log = tmp_path / "uv.log"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_UV_LOG", str(log))
    monkeypatch.setenv("FAKE_UV_THIRD_PARTY", str(third_party))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return log


@pytest.fixture
def request_tiny(wheels):
    """What an environment for ``tiny`` is made from, with changes."""
    (wheel,) = wheels.glob("aligntune_tiny-*.whl")

    def make(name="tiny", **changes):
        return Request(name, **{"requirement": str(wheel), "source": str(wheels), **changes})

    return make
