"""The two sides of a row: what AlignTune does with a bad job, and what TRL does."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from badjobs.by_hand import script
from badjobs.folders import good_folder
from badjobs.jobs import sft
from badjobs.processes import TRACEBACK, Ran, last_error, lines, run
from badjobs.row import BadJob, Stage
from badjobs.table import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS, THEIRS = "aligntune", "trl"
_NOTE = re.compile(r"(?:warning|note): ")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a side came out on a row.

    Args:
        stage: How far the job came; None for TRL, which has no such stages.
        codes: The problem codes that were given.
        message: What was said.
        seconds: Wall seconds of the process that gave the answer.
        failed: Whether that process ended with an error.
        silent: Whether nothing was said that is not said of a good job.
    """

    stage: Stage | None
    codes: tuple[str, ...]
    message: str
    seconds: float
    failed: bool
    silent: bool = False


@dataclass
class Workshop:
    """Where the jobs are run, and what is made for several of them.

    Args:
        model: The folder of ``builtin:tiny``.
        root: A temporary folder.
    """

    model: Path
    root: Path
    _earlier: dict[str, Path] = field(default_factory=dict)
    _said_of_good: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def aligntune(self, row: BadJob) -> Answer:
        """Check a job with AlignTune, and train it if it is accepted."""
        with self._folder(row, OURS) as folder:
            return self._checked_and_trained(row, folder)

    def by_hand(self, row: BadJob) -> Answer | None:
        """Do the same job on TRL; None where it has no such thing."""
        if row.by_hand is None:
            return None
        with self._folder(row, THEIRS) as folder:
            ran = _run_by_hand(row, folder)
        if ran.code != 0:
            return _failed_by_hand(ran)
        new = self._not_said_of_good_jobs(row, THEIRS, ran)
        said = f"; it said: {' '.join(new)}" if new else ", said nothing"
        return Answer(None, (), f"success{_taken(ran)}{said}", ran.seconds, failed=False, silent=not new)

    @contextmanager
    def _folder(self, row: BadJob, side: str) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(dir=self.root))
        try:
            if row.earlier:
                shutil.copytree(self._earlier_run(side), folder / "out")
            good_folder(row, self.model, folder)
            yield folder
        finally:
            shutil.rmtree(folder)

    def _earlier_run(self, side: str) -> Path:
        if side not in self._earlier:
            row = BadJob("earlier", "", sft(save_steps=2), script(save_steps=2))
            with self._folder(row, side) as folder:
                _succeeded(row, side, folder)
                self._earlier[side] = (folder / "out").rename(self.root / f"earlier-{side}")
        return self._earlier[side]

    def _checked_and_trained(self, row: BadJob, folder: Path) -> Answer:
        for stage, level in ((Stage.FAST, ("--fast",)), (Stage.CHECK, ())):
            checked = run("aligntune", ("check", *level, "--json", *row.words), folder)
            verdict = _json(checked.out)
            if verdict is None or TRACEBACK in checked.err:
                return _broken(checked)
            if not verdict["ok"]:
                return _answer(row, stage, verdict["problems"], checked)
        trained = _train(row, folder)
        outcome = _json(trained.out)
        if outcome is None or TRACEBACK in trained.err:
            return _broken(trained)
        if outcome["status"] != "ok":
            stage = Stage.LAUNCH if outcome["status"] == "refused" else Stage.TRAINING
            return _answer(row, stage, outcome["problems"] or [outcome["error"]], trained)
        after = f"trained {_steps(outcome['steps'])}"
        if verdict["problems"]:
            found = _answer(row, Stage.WARNED, verdict["problems"], trained)
            return replace(found, message=f"{found.message} Then {after}.", failed=False)
        if row.proof and row.proof in checked.out + trained.err:
            return Answer(Stage.MEANT, (), after, trained.seconds, failed=False)
        new = self._not_said_of_good_jobs(row, OURS, trained)
        if new:
            return Answer(Stage.SAID, (), f"{after}; {' '.join(new)}", trained.seconds, failed=False)
        return Answer(Stage.TRAINED, (), after, trained.seconds, failed=False, silent=True)

    def _not_said_of_good_jobs(self, row: BadJob, side: str, ran: Ran) -> list[str]:
        """The lines that a run has and no run of a good job."""
        new = _said(side, ran)
        if row in GOOD:
            self._said_of_good[side, row.name] = frozenset(map(_key, new))
        for good in sorted(GOOD, key=lambda good: good.kind != row.kind):
            if not new:
                break
            if (side, good.name) not in self._said_of_good:
                with self._folder(good, side) as folder:
                    told = _said(side, _succeeded(good, side, folder))
                self._said_of_good[side, good.name] = frozenset(map(_key, told))
            new = [line for line in new if _key(line) not in self._said_of_good[side, good.name]]
        return new


def _succeeded(row: BadJob, side: str, folder: Path) -> Ran:
    ran = _train(row, folder) if side == OURS else _run_by_hand(row, folder)
    if ran.code:
        raise RuntimeError(f"the good job '{row.name}' failed through {side}:\n{ran.err}")
    return ran


def _said(side: str, ran: Ran) -> list[str]:
    """What was said: everything but progress by hand, what is marked as a warning or a note of AlignTune's."""
    return [line for line in lines(ran.err) if side == THEIRS or _NOTE.match(line)]


def _train(row: BadJob, folder: Path) -> Ran:
    return run("aligntune", ("train", "--json", *row.words), folder)


def _run_by_hand(row: BadJob, folder: Path) -> Ran:
    if isinstance(row.by_hand, tuple):
        return run("trl", row.by_hand, folder)
    (folder / "train.py").write_text(row.by_hand or "", encoding="utf-8")
    return run("python", ("train.py",), folder)


def _key(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _broken(ran: Ran) -> Answer:
    return Answer(Stage.BROKEN, (), last_error(ran), ran.seconds, failed=True)


def _answer(row: BadJob, stage: Stage, problems: list[dict[str, str]], ran: Ran) -> Answer:
    """The problems of an answer, those that the row is about first."""
    found = sorted(problems, key=lambda problem: problem.get("code") != row.code)
    codes = tuple(dict.fromkeys(problem.get("code", problem.get("type", "")) for problem in found))
    message = f"{found[0]['message']} {found[0].get('fix', '')}".strip()
    return Answer(stage, codes, message, ran.seconds, failed=True)


def _failed_by_hand(ran: Ran) -> Answer:
    end = f"exit code {ran.code}" if ran.code is not None else f"still running after {ran.seconds:.0f} s"
    return Answer(None, (), f"{end}{_taken(ran)}: {last_error(ran)}", ran.seconds, failed=True)


def _taken(ran: Ran) -> str:
    """How many steps a run by hand took, as far as it logged them, and what the last one came to."""
    losses, rewards = (re.findall(rf"'{name}': '?([^',}}]+)", ran.out) for name in ("loss", "reward"))
    steps = re.search(r"^steps (\d+)$", ran.out, re.MULTILINE)
    taken = int(steps[1]) if steps else len(losses)
    if not steps and not taken:
        return ""
    # the loss of GRPO is 0 at every step that learns from the completions it has just sampled
    figure = f", last reward {rewards[-1]}" if rewards else f", last loss {losses[-1]}" if losses else ""
    return f" after {_steps(taken)}{figure}"


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"
