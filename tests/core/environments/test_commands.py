"""``aligntune env`` as a person meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aligntune_core.cli.main import main
from aligntune_core.environments.known import environment_named, environments

pytestmark = pytest.mark.usefixtures("uv")


@pytest.fixture
def aligntune(capfd):
    def run(*words):
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["env", *words])
        out, err = capfd.readouterr()
        return end.value.code, out, err

    return run


@pytest.fixture
def tiny(request_tiny):
    request = request_tiny()
    return ("--from", request.requirement, "--source", request.source)


def test_an_environment_from_its_making_to_its_end(aligntune, tiny):
    code, out, err = aligntune("list")
    assert (code, err) == (0, "")
    assert "There is no environment in '" in out
    code, out, err = aligntune("create", "tiny", *tiny)
    assert (code, out.splitlines()[0]) == (0, "The environment 'tiny' is ready, with tiny 1.0.")
    assert err.splitlines()[0].startswith("Making a virtual environment with uv (")
    code, out, _ = aligntune("list")
    assert "tiny         tiny 1.0" in out
    assert environment_named("tiny").python in out
    assert aligntune("check")[:2] == (0, "tiny  as it was recorded\n")
    Path(environment_named("tiny").python).unlink()
    code, out, _ = aligntune("check", "tiny")
    assert code == 1
    assert "  error  its interpreter '" in out
    assert "Make it anew: aligntune env update tiny" in out
    assert aligntune("update", "tiny")[0] == 0
    assert aligntune("remove", "tiny")[:2] == (0, "The environment 'tiny' is removed.\n")
    assert aligntune("remove", "tiny") == (
        2,
        "",
        "error: there is no environment 'tiny'.\n  `aligntune env list` has their names.\n",
    )


@pytest.mark.parametrize("columns", [80, 120])
def test_what_it_would_hold_fits_the_columns(aligntune, tiny, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = aligntune("create", "tiny", *tiny, "--dry-run")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "The environment 'tiny' would hold"
    labels = [line[:16].strip() for line in lines[1:]]
    # what pip is told to do differs from machine to machine
    assert [label for label in labels if label not in {"", "pip's settings"}] == [
        "interpreter",
        "AlignTune",
        "requirements",
        "torch",
        "constraints",
        "installer",
        "folder",
    ]
    # a path is not broken, and may be longer than a line
    assert all(len(line) <= columns for line in lines if "/" not in line)
    assert environments() == []


def test_every_command_writes_json(aligntune, tiny):
    told = json.loads(aligntune("create", "tiny", *tiny, "--dry-run", "--json")[1])
    assert told["distributions"]["aligntune-core"].endswith(".whl")
    told = json.loads(aligntune("create", "tiny", *tiny, "--json")[1])
    assert told["tiny"]["found"]["backends"]["tiny"]["status"] == "ready"
    assert json.loads(aligntune("list", "--json")[1])["environments"]["tiny"]["usable"] is True
    assert json.loads(aligntune("check", "--json")[1]) == {"tiny": {"ok": True, "problems": []}}
    assert "tiny" in json.loads(aligntune("update", "tiny", "--json")[1])
    assert json.loads(aligntune("remove", "tiny", "--json")[1]) == {"removed": "tiny"}


def other_python():
    for minor in (13, 12, 14):
        for python in sorted(Path("~/.pyenv/versions").expanduser().glob(f"3.{minor}.*/bin/python")):
            if minor != sys.version_info.minor:
                return python
    return None


def test_an_interpreter_of_another_python_is_adopted(aligntune, wheels, tmp_path):
    python = other_python()
    if python is None:
        pytest.skip("there is no other supported Python here: looked in ~/.pyenv/versions")
    folder = tmp_path / "packages"
    packages = [*wheels.glob("*.whl")]
    for each in packages:
        subprocess.run([sys.executable, "-m", "zipfile", "-e", str(each), str(folder)], check=True)
    import packaging
    import pluggy

    for module in (packaging, pluggy):
        (folder / module.__name__).symlink_to(Path(module.__file__).parent)
    dist = next(Path(pluggy.__file__).parents[1].glob("pluggy-*.dist-info"))
    (folder / dist.name).symlink_to(dist)
    code, out, err = aligntune("add", "other", "--python", str(python), "--path", str(folder))
    assert (code, out.splitlines()[0]) == (0, "The environment 'other' is ready, with tiny 1.0."), err
    found = environment_named("other")
    assert found.found["python"].split(".")[:2] != [str(each) for each in sys.version_info[:2]]
    assert (found.made, found.paths) == (False, (str(folder),))
    told = subprocess.run(
        [found.python, "-c", "import aligntune_core, sys; print(aligntune_core.__file__)"],
        env=found.environ(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith(str(folder))
    code, out, _ = aligntune("update", "other", "--torch", "cpu")
    assert code == 2
    before = sorted(folder.rglob("*.py"))
    assert aligntune("update", "other")[0] == 0
    assert aligntune("remove", "other")[0] == 0
    # what was there is there
    assert sorted(folder.rglob("*.py")) == before


def test_a_place_where_nothing_can_be_written_is_told(aligntune, tiny, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ALIGNTUNE_ENVIRONMENTS", str(tmp_path / "file" / "environments"))
    code, _, err = aligntune("create", "tiny", *tiny)
    assert code == 2
    assert "nothing can be written to" in err
    assert "ALIGNTUNE_ENVIRONMENTS" in err
    assert "Traceback" not in err
