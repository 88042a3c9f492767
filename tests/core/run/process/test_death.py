"""However either process ends: nothing is left, and what happened is said."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from processes import is_there, lives, read, until

from aligntune_core.errors import BackendError, RunError
from aligntune_core.run.launch import create_trainer
from aligntune_core.run.process import child_process

PROGRAM = """
import sys
from aligntune_core.run.launch import create_trainer
trainer = create_trainer(on_event=lambda event: None, **{keys!r})
print(trainer._child.pid, flush=True)
{then}
trainer.train()
"""


@pytest.fixture
def program(keys):
    """Start a Python program that trains; gives it and the id of its trainer's process."""
    started = []

    def start(then="", **changes):
        code = PROGRAM.format(keys=keys(**changes), then=then)
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("act", "how"),
    [
        ("exit", "ended with exit code 0 while it trained"),
        ("segfault", r"was ended by signal 11 \(SIGSEGV\) while it trained"),
        ("killed", r"was ended by signal 9 \(SIGKILL\) while it trained"),
    ],
)
def test_a_process_that_dies_is_told_of(made, act, how):
    told = []
    trainer = made(told, act=act)
    with pytest.raises(RunError, match=f"the job's process {how}") as error:
        trainer.train()
    assert error.value.code == "process-died"
    assert told[-1].step == 2
    assert not is_there(trainer._child.pid)
    # also for whatever is asked of it afterwards
    with pytest.raises(RunError, match=how):
        trainer.save()


def test_the_last_words_of_a_process_are_in_the_error_and_the_rest_is_kept(made):
    trainer = made(act="segfault")
    with pytest.raises(RunError, match="It printed last:\n  a last word") as error:
        trainer.train()
    assert error.value.fix == f"All that it printed is in {trainer.log}."
    assert trainer.log.read_text() == "a last word\n"


def test_memory_is_what_the_system_kills_for(made):
    with pytest.raises(RunError) as error:
        made(act="killed").train()
    assert "when memory is used up: lower batch_size" in error.value.fix


@pytest.mark.parametrize("made_by", ["exit", "segfault"])
def test_a_process_that_dies_before_there_is_a_trainer_is_told_of(made, made_by):
    with pytest.raises(RunError, match="while it made the trainer"):
        made(made=made_by)


def test_an_attempt_to_end_the_process_is_told_as_in_this_one(made):
    with pytest.raises(RunError, match="backend 'acting' tried to end the process while it trained: SystemExit: 3"):
        made(act="system-exit").train()


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        ("garbage", "spoilt its channel to this one while it trained: it wrote 'what is this'"),
        ("close", "it closed it"),
    ],
)
def test_a_spoilt_channel_ends_the_process(made, monkeypatch, act, fault):
    monkeypatch.setattr(child_process, "_TERMINATE_SECONDS", 0.5)
    trainer = made(act=act)
    with pytest.raises(BackendError) as error:
        trainer.train()
    assert fault in error.value.message
    assert error.value.code == "process-channel"
    assert not is_there(trainer._child.pid)


def test_what_a_process_started_ends_with_it(made):
    with pytest.raises(RunError):
        made(act="leave-and-die").train()
    assert until(lambda: not lives(int(read("left"))))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("raise ImportError('no such thing')", "ended with exit code"),
        ("import os; os._exit(7)", "ended with exit code 7 before it could take a job"),
        ("import time; time.sleep(60)", "was started and did not answer within 1 s"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"was ended by signal 9 \(SIGKILL\) before"),
    ],
    ids=["fails", "exits", "hangs", "dies"],
)
def test_an_interpreter_that_does_not_come_up_is_told_of(keys, site, monkeypatch, start, said):
    monkeypatch.setattr(child_process, "START_SECONDS", 1)
    (site / "aligntune_core.py").write_text(start)
    began = time.monotonic()
    with pytest.raises(BackendError, match=said) as error:
        create_trainer(**keys())
    assert error.value.code == "process-start"
    assert time.monotonic() - began < 10


def test_an_interpreter_without_aligntune_is_told_of(keys, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    bare = Path("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    with pytest.raises(BackendError, match="before it could take a job") as error:
        create_trainer(python=str(bare / "bin" / "python"), **keys())
    assert "No module named 'aligntune_core'" in error.value.message
    assert "a Python that has AlignTune and the backend" in error.value.fix


@pytest.mark.parametrize(("key", "value", "said"), [
    ("protocol", 99, "speaks protocol 99"), ("core", "0.3.1", "has aligntune-core 0.3.1, and this one 1."),
])  # fmt: skip
def test_another_version_is_refused_before_it_gets_a_job(keys, monkeypatch, key, value, said):
    from aligntune_core.run.process import greeting

    own = greeting.greeting()
    monkeypatch.setattr(greeting, "PROTOCOL", value if key == "protocol" else 1)
    monkeypatch.setattr(greeting, "__version__", value if key == "core" else own["core"])
    with pytest.raises(BackendError) as error:
        greeting.expect_same(own, "python")
    assert error.value.code == "process-version"
    with pytest.raises(BackendError, match="the process in"):
        create_trainer(**keys())
    monkeypatch.undo()
    with pytest.raises(BackendError, match=said):
        greeting.expect_same({**own, key: value}, "python")


def test_the_version_that_is_told_is_that_of_the_distribution():
    from tomllib import loads

    from aligntune_core import __version__

    project = Path(__file__).parents[4] / "aligntune_core" / "pyproject.toml"
    assert loads(project.read_text(encoding="utf-8"))["project"]["version"] == __version__


def test_a_patch_of_the_core_is_no_other_version():
    from aligntune_core.run.process.greeting import expect_same, greeting

    release = ".".join(greeting()["core"].split(".")[:2])
    expect_same({**greeting(), "core": f"{release}.99"}, "python")


@pytest.mark.parametrize(
    ("act", "number"),
    [("hold", signal.SIGKILL), ("wait", signal.SIGKILL), ("wait", signal.SIGTERM), ("wait", signal.SIGHUP)],
)
def test_a_process_ends_with_the_one_that_started_it(program, act, number):
    parent, child = program(act=act)
    assert read("busy") == str(child)
    parent.send_signal(number)
    assert parent.wait(10) == -number
    assert until(lambda: not lives(child), 2)


def test_a_process_ends_also_while_its_trainer_is_made(keys):
    code = PROGRAM.format(keys=keys(made="wait"), then="")
    parent = subprocess.Popen([sys.executable, "-c", code])
    child = int(read("busy"))
    parent.kill()
    parent.wait()
    assert until(lambda: not lives(child), 2)


def test_a_process_forked_from_this_one_does_not_keep_it_alive(program):
    parent, child = program("import os, time\nif not os.fork():\n    time.sleep(3)\n    os._exit(0)", act="wait")
    read("busy")
    parent.kill()
    assert until(lambda: not lives(child), 2)


def test_the_end_of_the_thread_that_made_it_is_not_its_end(keys):
    made = []
    thread = threading.Thread(target=lambda: made.append(create_trainer(on_event=lambda _: None, **keys())))
    thread.start()
    thread.join()
    assert made[0].train().steps == 3
    made[0].close()


def test_an_interruption_is_passed_on_and_the_trainer_lives(program):
    parent, child = program(
        "import threading, os, signal, time\n"
        "from pathlib import Path\n"
        "def press():\n"
        "    while not Path('busy').exists(): time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=press).start()\n"
        "try:\n    trainer.train()\n"
        "except KeyboardInterrupt:\n    print('interrupted', trainer.save('after'), flush=True)\n"
        "    sys.exit(7)\n",
        act="wait",
    )
    out, err = parent.communicate(timeout=20)
    assert (parent.returncode, out.strip()) == (7, "interrupted after"), err
    assert not is_there(child)


def test_a_second_interruption_ends_a_process_that_passes_over_the_first(program):
    parent, child = program(act="stubborn")
    read("busy")
    parent.send_signal(signal.SIGINT)
    until(Path("ignored").exists)
    assert lives(child)
    parent.send_signal(signal.SIGINT)
    _, err = parent.communicate(timeout=20)
    assert parent.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in err
    assert not is_there(child)


def test_what_a_signal_s_handler_raises_ends_the_process_too(program):
    parent, child = program(
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))", act="wait",
    )  # fmt: skip
    read("busy")
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(10) == 5
    assert not is_there(child)


def test_interruptions_between_two_calls_are_nobody_s(made):
    trainer = made()
    for _ in range(3):
        os.kill(trainer._child.pid, signal.SIGINT)
    assert trainer.train().steps == 3


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_any_moment_nothing_is_left(keys, seed, tmp_path):
    end_at_random(keys(pause=0.02, max_steps=20), seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 200))
def test_killed_at_any_moment_nothing_is_left_in_a_campaign(keys, seed, tmp_path):
    end_at_random(keys(pause=0.02, max_steps=20), seed, tmp_path)


def end_at_random(job, seed, tmp_path):
    """End the parent or the child with a signal at a moment that the seed says."""
    import random

    chance = random.Random(seed)
    code = PROGRAM.format(keys=job, then="print('made', flush=True)") + "print(trainer.save())\n"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    number = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    time.sleep(chance.uniform(0.1, 1.4))
    children = [int(each) for each in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
    target = chance.choice([parent.pid, *children])
    os.kill(target, number)
    _, err = parent.communicate(timeout=30)
    assert until(lambda: not any(map(lives, [*children, *spoken_of(tmp_path)])), 3)
    if target != parent.pid and parent.returncode:
        assert "Error: the " in err or "KeyboardInterrupt" in err, err


def spoken_of(tmp_path):
    """Processes whose environment names this test's folder, but for this one."""
    needle = f"TMPDIR={tmp_path / 'temporary'}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and needle in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found
