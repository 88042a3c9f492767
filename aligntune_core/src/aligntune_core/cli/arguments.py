"""The words after ``train`` and ``check``: a job file and ``key=value`` words, as the keys of a job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.check.verdict import Verdict


def read_arguments(words: list[str]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The keys of a job, and ``file:line`` of those that come from the job file.

    Args:
        words: A job file's path, which may be left out, and then ``key=value`` words.

    Raises:
        JobFileError: If the job file or one of the words can't be read.
    """
    from aligntune_core.jobs.file import JobFile, apply_overrides, key_of, load_job_file

    file, overrides = JobFile(), words
    if words and ("=" not in words[0] or _is_file(words[0])):
        file, overrides = load_job_file(words[0]), words[1:]
    replaced = tuple(map(key_of, overrides))
    places = {
        key: place
        for key, place in file.places.items()
        if not any(key == other or key.startswith(f"{other}.") for other in replaced)
    }
    return apply_overrides(file.values, overrides), places


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # no file has a name that long
        return False


def judge(words: list[str], *, level: str = "") -> Verdict:
    """What is decided about the job that the words describe; a job file that can't be read is a problem of it.

    Args:
        words: The words after the command.
        level: How deep to look beyond the decision itself; not at all if empty.
    """
    from aligntune_core.check.verdict import Verdict
    from aligntune_core.errors import JobFileError
    from aligntune_core.problem import Problem

    try:
        values, places = read_arguments(words)
    except JobFileError as error:
        return Verdict(None, "", problems=(Problem(error.code, error.message, error.fix),))
    if level:
        from aligntune_core.run.ask import check_job

        return check_job(values, level=level, places=places)
    from aligntune_core.check.decide import decide

    return decide(values, places=places)
