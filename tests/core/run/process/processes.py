"""Whether processes are there, and waiting for what they do."""

import time
from pathlib import Path


def is_there(pid):
    """Whether a process is there, as a zombie or not."""
    return Path(f"/proc/{pid}").exists()


def lives(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=15):
    """Wait for something to be so; gives what it was."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return found


def read(name):
    """Wait for a file with something in it; gives that."""
    return until(lambda: Path(name).exists() and Path(name).read_text())
