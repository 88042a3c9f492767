"""What a run's events look like to people who call AlignTune from Python."""

import io
import re

import pytest

from aligntune_core import Finished, Notice, Started, Stepped
from aligntune_core.console.progress import ConsoleProgress, speed_text, time_text


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def lines(*events):
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    for event in events:
        progress(event)
    return stream.getvalue().splitlines()


def test_a_file_gets_a_line_for_each_logged_step_and_no_control_characters():
    told = lines(Started(100), Stepped(1), Stepped(2), Stepped(10, {"loss": 2.3125, "grad_norm": 1.0}), Stepped(11))
    assert told[0] == "training: 100 steps"
    assert len(told) == 2
    assert re.fullmatch(r"step 10/100  loss 2.312  \S+ steps/s  eta .+", told[1])


def test_a_resumed_run_is_not_credited_with_the_steps_before():
    assert lines(Started(10, first_step=8), Stepped(9), Stepped(10), Finished(10, 2.0))[-1] == (
        "trained 10 steps in 2.0 s, 1.00 steps/s"
    )


def test_a_run_that_never_said_it_started_is_shown_all_the_same():
    assert lines(Stepped(3, {"loss": 1.0}))[0].startswith("step 3")


def test_a_bar_that_nobody_ended_leaves_the_cursor_visible(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    screen = Screen()
    progress = ConsoleProgress(screen)
    progress(Started(4))
    progress(Stepped(1, {"loss": 0.5}))
    progress(Notice("a note"))
    try:
        shown = screen.getvalue()
        assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l") > -1
        assert "note: a note" in shown
    finally:
        progress.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (float("inf"), "?"), (0.5, "0.5 s"), (59.4, "59 s"), (59.6, "1:00"), (3725, "1:02:05")],
)
def test_time(seconds, text):
    assert time_text(seconds) == text


def test_speed():
    assert [speed_text(speed) for speed in (None, 0.0, 0.0345, 12.345)] == ["", "", "0.035 steps/s", "12.35 steps/s"]
