"""Environments are made whole or not at all, by one at a time, and stay while they are used."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aligntune.environments import (
    Request,
    add,
    create,
    environment_named,
    environment_of,
    environments,
    examine_all,
    remove,
    specify,
    update,
    using,
)
from aligntune_core.environments.holding import is_being_made
from aligntune_core.environments.known import Unusable, every_environment
from aligntune_core.errors import SetupError

from .conftest import write_backend

pytestmark = pytest.mark.usefixtures("uv")

CREATE = "import sys; from aligntune_core.cli.main import main; main(['env', *sys.argv[1:]])"


def in_another_process(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-c", CREATE, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def words_of(request):
    return ("create", request.name, "--from", request.requirement, "--source", request.source)


def told(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_an_environment_is_made_and_recorded(request_tiny, uv):
    made = create(request_tiny())
    assert made == environment_named("tiny")
    assert [each.name for each in environments()] == ["tiny"]
    assert (made.backends, made.made) == (("tiny",), True)
    assert environment_of("tiny") == made
    assert environment_of("other") is None
    run = subprocess.run(
        [made.python, "-c", "import aligntune_tiny; print(1)"], env=made.environ(os.environ), check=True
    )
    assert run.returncode == 0
    assert made.found["core"] == "1.0.0"
    assert made.found["packages"]["pluggy"]
    assert made.found["backends"]["tiny"]["recorded"]["info"]["capabilities"][0]["algorithm"] == "sft"
    assert "aligntune-tiny @ file://" in Path(made.lock).read_text()
    assert f"--python {sys._base_executable}" in " ".join(told(uv)[0])
    assert examine_all()[0].problems == ()


def test_what_it_would_hold_is_said_and_nothing_made(request_tiny, folder, uv):
    found = specify(request_tiny(torch="2.5.0+cpu")).to_dict()
    assert list(found["distributions"]) == ["aligntune-core"]
    assert found["distributions"]["aligntune-core"].endswith(".whl")
    assert found["requirements"][0].endswith("aligntune_tiny-1.0-py3-none-any.whl")
    assert "pluggy>=1" in found["constraints"]
    assert "torch==2.5.0+cpu" in found["constraints"]
    assert "torch==2.0.0" not in found["constraints"]
    assert found["torch"] == "2.5.0+cpu, as asked; the backend was tested with 2.0.0"
    # no other distribution of the project may come from an index
    assert {"aligntune-trl<0", "aligntune-unsloth<0", "aligntune<0"} <= set(found["constraints"])
    assert not folder.exists()
    assert not uv.exists()


def test_a_name_is_taken_once(request_tiny):
    create(request_tiny())
    with pytest.raises(
        SetupError, match=r"an environment 'tiny' already\. Make it anew with `aligntune env update tiny`"
    ):
        create(request_tiny())


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "with space", ".hidden"])
def test_a_name_that_is_no_folder_is_refused(request_tiny, name):
    with pytest.raises(SetupError, match="can't be the name"):
        create(request_tiny(name))


def test_a_backend_that_nobody_knows_needs_its_distribution(request_tiny):
    with pytest.raises(SetupError, match=r"'unslot' is no backend of this project\. .*--from.*Did you mean 'unsloth'"):
        specify(request_tiny("unslot", requirement=""))


def test_what_fails_leaves_nothing_but_its_log(request_tiny, folder, monkeypatch):
    monkeypatch.setenv("FAKE_UV_FAILS", "a needs b<1, and https://me:secret@host/simple has 2")
    with pytest.raises(SetupError, match="failed while it installed the backend") as refused:
        create(request_tiny())
    assert "no solution was found: a needs b<1" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert every_environment() == []
    (log,) = (folder / ".logs").iterdir()
    assert str(log) in refused.value.fix
    assert "$ " in log.read_text()


def test_a_backend_that_can_not_be_used_is_not_taken_for_made(request_tiny, tmp_path):
    needy = write_backend(tmp_path, "needy", requirements=("no-such-engine>=3",))
    with pytest.raises(SetupError, match=r"'needy' is missing: it needs no-such-engine>=3"):
        create(request_tiny("needy", requirement=str(needy)))
    assert every_environment() == []


def test_a_distribution_of_ours_from_an_index_is_not_taken(request_tiny, monkeypatch):
    monkeypatch.setenv("FAKE_UV_FROM_AN_INDEX", "1")
    with pytest.raises(SetupError, match="aligntune-core came from a package index"):
        create(request_tiny())


def test_killed_in_the_middle_it_is_seen_and_made_again(request_tiny, monkeypatch, uv, aligntune_list):
    monkeypatch.setenv("FAKE_UV_SECONDS", "2")
    making = in_another_process(*words_of(request_tiny()))
    until(Path(f"{uv}.installing").exists)
    making.send_signal(signal.SIGKILL)
    making.communicate()
    # what installs goes on for a moment, and nobody else begins before it has ended
    assert is_being_made("tiny")
    assert "being made" in aligntune_list()
    until(lambda: not is_being_made("tiny"))
    (left,) = every_environment()
    assert isinstance(left, Unusable)
    assert "unusable: it was not made to its end" in aligntune_list()
    (found,) = examine_all()
    assert (found.ok, found.problems[0].code) == (False, "unfinished")
    monkeypatch.setenv("FAKE_UV_SECONDS", "0")
    said = []
    made = create(request_tiny(), said.append)
    assert "What is left of a making that was interrupted is removed." in said
    generations = [each.name for each in Path(made.folder).iterdir() if each.is_dir()]
    assert generations == [made.generation]


def test_what_is_left_of_a_making_can_be_removed(folder):
    (folder / "tiny/20200101-000000-abcdef/venv").mkdir(parents=True)
    remove("tiny")
    assert every_environment() == []


def test_two_at_once_make_it_once(request_tiny, monkeypatch, uv):
    monkeypatch.setenv("FAKE_UV_SECONDS", "0.5")
    both = [in_another_process(*words_of(request_tiny())) for _ in range(2)]
    said = [each.communicate(timeout=60)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert sum("Another process is making it; waiting." in each for each in said) == 1
    assert sum("The other process made it." in each for each in said) == 1
    assert sum(words[0] == "venv" for words in told(uv)) == 1
    assert len({environment_named("tiny").python, *[each.split("interpreter: ")[1].strip() for each in said]}) == 1


def test_one_that_is_used_is_not_removed_and_an_update_leaves_it(request_tiny):
    create(request_tiny())
    with using("tiny") as (held, _):
        with pytest.raises(SetupError, match="'tiny' is in use"):
            remove("tiny")
        said = []
        fresh = update("tiny", {}, said.append)
        assert fresh.generation != held.generation
        assert Path(held.python).exists()
        assert any(f"{held.place}' stays until the next update" in each for each in said)
        assert environment_named("tiny") == fresh
    update("tiny", {})
    assert not Path(held.place).exists()
    remove("tiny")
    assert every_environment() == []
    with pytest.raises(SetupError, match="there is no environment 'tiny'"), using("tiny"):
        pass


def test_a_child_keeps_it_when_its_parent_is_killed(request_tiny):
    create(request_tiny())
    code = """
import subprocess, sys
from aligntune.environments import using
with using("tiny") as (environment, lock):
    child = subprocess.Popen([environment.python, "-c", "import time; time.sleep(60)"], pass_fds=[lock],
        env=environment.environ({}))
    print(child.pid, flush=True)
    child.wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    try:
        with pytest.raises(SetupError, match="in use"):
            remove("tiny")
    finally:
        os.kill(child, signal.SIGKILL)
    until(lambda: _removed("tiny"))


def _removed(name):
    try:
        remove(name)
    except SetupError:
        return False
    return True


def test_an_update_that_fails_leaves_the_old_one(request_tiny, monkeypatch):
    made = create(request_tiny())
    monkeypatch.setenv("FAKE_UV_FAILS", "no network")
    with pytest.raises(SetupError, match="no network"):
        update("tiny", {})
    assert environment_named("tiny") == made
    assert Path(made.python).exists()
    assert len([each for each in Path(made.folder).iterdir() if each.is_dir()]) == 1


def test_an_update_repeats_what_was_asked_for_but_for_the_changes(request_tiny, uv):
    create(request_tiny(torch="2.5.0"))
    made = update("tiny", {"extras": ("pluggy==1.7.0",)})
    assert made.asked["torch"] == "2.5.0"
    last = told(uv)[-1]
    assert "pluggy==1.7.0" in last
    assert request_tiny().requirement in last
    constraints = Path(made.place, "constraints.txt").read_text().splitlines()
    # what is asked for comes before what was tested
    assert "torch==2.5.0" in constraints
    assert "pluggy>=1" not in constraints


def test_a_lock_is_given_back(request_tiny, uv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = create(request_tiny())
    again = create(Request("again", lock=made.lock, source=request_tiny().source))
    words = told(uv)[-1]
    assert "--no-deps" in words
    locked = Path(again.place, "locked.txt").read_text().splitlines()
    assert any(line.startswith("pluggy==") for line in locked)
    # AlignTune's own come from where they are here
    assert not any(line.startswith("aligntune-core") for line in locked)
    assert any(word.endswith("aligntune_core-1.0.0-py3-none-any.whl") for word in words)
    assert Path(again.lock).read_text() == Path(made.lock).read_text()
    Path("none.txt").write_text("pluggy==1\n")
    with pytest.raises(SetupError, match=r"'none\.txt' is no lock of an environment"):
        create(Request("third", lock="none.txt"))


def test_pip_s_configuration_is_handed_to_uv(request_tiny, uv, monkeypatch, tmp_path):
    (tmp_path / "capped.txt").write_text("pluggy<9\n")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://me:secret@one.example/simple https://two.example/simple")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "capped.txt"))
    made = create(request_tiny())
    words = " ".join(told(uv)[-1])
    assert "--index https://me:secret@one.example/simple --index https://two.example/simple" in words
    assert f"--constraint {tmp_path / 'capped.txt'}" in words
    for file in Path(made.folder).rglob("*"):
        if file.suffix in {".json", ".txt"} and "site-packages" not in str(file):
            assert "secret" not in file.read_text(), file


def test_a_broken_interpreter_is_told_with_the_way_to_mend_it(request_tiny):
    made = create(request_tiny())
    Path(made.python).unlink()
    (found,) = examine_all()
    assert (found.ok, [each.code for each in found.problems]) == (False, ["interpreter-missing"])
    assert found.problems[0].fix == "Make it anew: aligntune env update tiny"
    update("tiny", {})
    assert examine_all()[0].problems == ()


def test_a_package_that_went_is_told(request_tiny):
    made = create(request_tiny())
    packages = next(Path(made.place).glob("venv/lib/python3*/site-packages"))
    shutil.rmtree(next(packages.glob("aligntune_tiny-*.dist-info")))
    (found,) = examine_all("tiny")
    assert [each.code for each in found.problems] == ["backend-gone", "packages-changed"]
    assert "backend 'tiny' is no longer installed in it" in found.problems[0].message
    assert "aligntune-tiny @ file://" in found.problems[1].message
    assert made.lock in found.problems[1].fix


def test_another_core_and_other_rows_are_told(request_tiny):
    made = create(request_tiny())
    packages = next(Path(made.place).glob("venv/lib/python3*/site-packages"))
    (packages / "aligntune_core-1.0.0.dist-info").rename(packages / "aligntune_core-0.9.0.dist-info")
    plugin = packages / "aligntune_tiny/plugin.py"
    plugin.write_text(plugin.read_text().replace('"cpu"', '"cpu", "lora"'))
    found = {each.code: each for each in examine_all()[0].problems}
    assert "the row for 'sft'" in found["backend-changed"].message
    assert "it has aligntune-core 0.9.0, and 1.0.0 runs here" in found["core-apart"].message
    contract = packages / "aligntune_core/capabilities.py"
    contract.write_text(
        re.sub(r"^CONTRACT_VERSION = .*", "CONTRACT_VERSION = 99", contract.read_text(), flags=re.MULTILINE)
    )
    (found,) = examine_all()
    assert not found.ok
    assert "contract-apart" in [each.code for each in found.problems]


def test_a_checkout_that_moved_is_told(request_tiny, tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "aligntune_core/src").mkdir(parents=True)
    sources = Path(__file__).parents[3] / "aligntune_core"
    shutil.copy(sources / "pyproject.toml", checkout / "aligntune_core")
    shutil.copytree(sources / "src/aligntune_core", checkout / "aligntune_core/src/aligntune_core")
    create(request_tiny(source=str(checkout)))
    assert examine_all()[0].problems == ()
    checkout.rename(tmp_path / "elsewhere")
    (found,) = examine_all()
    assert [each.code for each in found.problems] == ["checkout-moved"]
    assert "aligntune env update tiny --source FOLDER" in found.problems[0].fix
    update("tiny", {"source": str(tmp_path / "elsewhere")})
    assert examine_all()[0].problems == ()


def test_where_ours_come_from_has_to_be_known(request_tiny, monkeypatch):
    monkeypatch.setattr("aligntune_core.backends.origins._running_checkout", lambda: "")
    monkeypatch.setattr("aligntune_core.backends.origins.installed_folder", lambda _: "")
    with pytest.raises(SetupError, match=r"'aligntune-core' is on no package index.*--source"):
        create(request_tiny(source=""))
    with pytest.raises(SetupError, match="not at '/nowhere'"):
        create(request_tiny(source="/nowhere"))


def test_an_interpreter_without_a_backend_is_not_adopted():
    with pytest.raises(SetupError, match="can't import aligntune_core"):
        add("bare", sys._base_executable)
    with pytest.raises(SetupError, match="there is no interpreter '/nowhere/python'"):
        add("bare", "/nowhere/python")
    assert every_environment() == []


@pytest.fixture
def aligntune_list(capsys):
    def make():
        from aligntune_core.cli.screens.environments import show

        show()
        return capsys.readouterr().out

    return make
