"""One process with a time limit, as a user starts one: what it wrote, how it ended, how long it took."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from sysconfig import get_path

LIMIT = 300.0
TRACEBACK = "Traceback (most recent call last)"
_PROGRESS = re.compile(r"%\||(?:it|s|examples)/(?:it|s)\]|examples/s|[?\d]+it/s")


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended.

    Args:
        code: Its exit code, None where it ran into the time limit.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
        seconds: From its start to its end.
    """

    code: int | None
    out: str
    err: str
    seconds: float


def run(program: str, words: tuple[str, ...], folder: Path) -> Ran:
    """Run a program of this interpreter's environment, ``python`` among them, without a GPU and without the hub."""
    found = Path(sys.executable) if program == "python" else Path(sys.executable).with_name(program)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "200"}
    # a program that is installed has its bytecode written
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    try:
        told = subprocess.run(
            [str(found), *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
        code, out, err = told.returncode, told.stdout, told.stderr
    except subprocess.TimeoutExpired as late:
        code, out, err = None, late.stdout or b"", late.stderr or b""
    seconds = time.perf_counter() - begun
    return Ran(code, _plain(out, folder), _plain(err, folder), seconds)


def lines(text: str) -> list[str]:
    """The lines that say something: no progress bars, no figures of steps."""
    found = [line.strip() for part in text.splitlines() for line in part.split("\r")]
    return [line for line in found if line and not _PROGRESS.search(line)]


def last_error(ran: Ran) -> str:
    """The last exception's own words, or the last line where there is none."""
    head, *traces = ran.err.split(TRACEBACK)
    errors = [error for error in map(_words_of, traces) if not error.startswith("subprocess.CalledProcessError")]
    if errors:
        return errors[-1]
    said = lines(head) or lines(ran.out)
    return said[-1] if said else ""


def _words_of(trace: str) -> str:
    """What stands under a traceback's frames, where the line that names the exception is not indented."""
    words = trace.splitlines()[1:]
    own = next((number for number, line in enumerate(words) if line and not line.startswith((" ", "\t"))), 0)
    return " ".join(line.strip() for line in words[own:] if line.strip())


def _plain(text: bytes, folder: Path) -> str:
    """The text without colours and without the names of this machine's folders, with which nobody can do anything."""
    plain = text.decode("utf-8", "replace")
    for name in (str(folder), get_path("purelib"), sys.prefix):
        plain = plain.replace(f"{name}/", "").replace(name, ".")
    return re.sub(r"\x1b\[[\d;]*m", "", plain)
