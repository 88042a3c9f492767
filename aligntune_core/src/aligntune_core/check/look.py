"""Everything that can be known of a job that its verdict does not say yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.check.examination import Examination, Level
from aligntune_core.check.formats import formats_of
from aligntune_core.check.named_rewards import named_rewards
from aligntune_core.check.planned import planned
from aligntune_core.check.precision import arithmetic_problems
from aligntune_core.errors import AlignTuneError, JobError
from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry
    from aligntune_core.check.tokens import Tokens
    from aligntune_core.check.verdict import Verdict
    from aligntune_core.data.prepare import Prepared
    from aligntune_core.encoding import Encoding
    from aligntune_core.events import DataReady, Event
    from aligntune_core.job import Job
    from aligntune_core.plan import Plan

_DATA_KEYS = frozenset(
    {
        *("algorithm", "backend", "model_name", "dataset_name", "dataset_split", "column_mapping", "max_samples"),
        *("eval_dataset_name", "eval_dataset_split", "max_seq_length", "trust_remote_code", "data_limits"),
    }
)
"""The keys without which a job's data can't be read as its engine would."""

_ERROR_KEYS = {"data": "dataset_name", "model": "model_name", "reward": "reward_functions", "checkpoint": "resume"}


def examine(verdict: Verdict, *, level: Level, backends: Registry, places: Mapping[str, str] | None = None) -> Verdict:
    """Look deeper into a job that was decided about.

    Args:
        verdict: What was decided.
        level: How deep to look.
        backends: The registry that the verdict was made with.
        places: ``file:line`` of keys that came from a job file.

    Returns:
        The verdict with all that was found besides.
    """
    job = verdict.job
    backend = _usable(verdict, backends)
    if job is None or backend is None:
        return verdict
    look = _Look(verdict, job, backend, backends)
    if level is Level.FAST or _DATA_KEYS & {problem.key for problem in verdict.errors}:
        found = Examination(level, look.plan(None))
    else:
        found = look.data(level)
        errors = [*verdict.errors, *look.errors()]
        if level is Level.PROBE and not errors:
            from aligntune_core.check.trial import rows_needed, try_out

            first = look.first_rows(rows_needed(found.plan))
            trial, problems = try_out(job, found.plan, backend, backends, rows=first)
            look.problems += problems
            found = replace(found, trial=trial)
    return verdict.examined(found, look.problems, places or {})


def _usable(verdict: Verdict, backends: Registry) -> Backend | None:
    """The backend that would run the job, where it can be asked."""
    if not verdict.backend or any(problem.key in {"backend", "algorithm"} for problem in verdict.errors):
        return None
    backend = backends.get(verdict.backend)
    return backend if backend.ready and backend.plugin is not None else None


class _Look:
    """One look into a job: collects what is said on the way.

    Args:
        verdict: What was decided about the job.
        job: The job.
        backend: Who would train it.
        known: The registry that the backend is of.
    """

    def __init__(self, verdict: Verdict, job: Job, backend: Backend, known: Registry) -> None:
        self._refused = {problem.key for problem in verdict.errors}
        self._job = job
        self._backend = backend
        self._known = known
        self._reports: list[DataReady] = []
        self._notes: list[str] = []
        self._encoding: Encoding | None = None
        self._kept: Sequence[int] = b""
        self.problems: list[Problem] = []

    def errors(self) -> list[Problem]:
        """Those of the problems that stop the job."""
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]

    def plan(self, rows: int | None) -> Plan | None:
        """What the run would come to, and what is wrong with that."""
        try:
            plan = planned(self._job, rows, self._backend, self._known)
        except HookError as error:
            self._failed(error)
            return None
        if plan is None:
            return None
        from aligntune_core.check.disk import room_problems
        from aligntune_core.check.schedule import schedule_problems

        if plan.steps is not None and not self._job.is_set("max_steps"):
            self.problems += schedule_problems(self._job, plan.steps)
        self.problems += room_problems(self._job, plan)
        return plan

    def data(self, level: Level) -> Examination:
        """The job's data, as the engine would see it."""
        prepared = self._prepared()
        if prepared is None:
            return Examination(level, self.plan(None), tuple(self._reports), notes=tuple(self._notes))
        train, evaluation = prepared
        self.problems += arithmetic_problems(self._job)
        tokens = self._tokens(train, evaluation)
        self._try_rewards(train)
        left = _rows_left(len(train.rows), tokens)
        plan = self.plan(left)
        if plan and 0 < left < plan.least_rows:
            from aligntune_core.check.tokens import too_few_rows

            self.problems.append(too_few_rows(plan.least_rows, left))
        return Examination(
            level,
            plan,
            tuple(self._reports),
            tokens.lengths if tokens else None,
            tokens.example if tokens else (),
            tuple(self._notes),
        )

    def first_rows(self, wanted: int) -> int | None:
        """How many of the dataset's first rows hold so many that can be learned from; None where none were looked at.

        Args:
            wanted: Rows that can be learned from.
        """
        places = [place for place, is_kept in enumerate(self._kept, 1) if is_kept]
        if not places:
            return None
        # which rows could not be used is not known any more: all of them may stand before these
        unused = sum(next(iter(self._reports)).unused.values())
        return places[min(wanted, len(places)) - 1] + unused

    def _prepared(self) -> tuple[Prepared, Prepared | None] | None:
        algorithm = next(
            (each for each in self._known.algorithms([self._backend.name]) if each.name == self._job.algorithm), None
        )
        if algorithm is None:
            return None
        try:
            from aligntune_core.data.prepare import prepare_job

            return prepare_job(self._job, algorithm.dataset, self._hear, formats_of(self._backend, self._known))
        except HookError as error:
            self._failed(error)
        except ImportError as error:
            self._notes.append(f"the data was not read: {error}.")
        except AlignTuneError as error:
            self._said(error)
        return None

    def _tokens(self, train: Prepared, evaluation: Prepared | None) -> Tokens | None:
        try:
            # what it gives is called on every row, which is its own doing too
            with contained(self._backend, "tokenised the data", engine=True):
                hook = self._known.hook(self._backend, "aligntune_encoding")
                encoding: Encoding | None = hook(job=self._job, emit=self._hear)
                if encoding is None:
                    return None
                from aligntune_core.check.tokens import examine_evaluation, examine_rows

                self._encoding = encoding
                tokens = examine_rows(train.rows, encoding)
                evaluated = examine_evaluation(evaluation.rows, encoding) if evaluation else ()
        except HookError as error:
            self._failed(error)
            return None
        except AlignTuneError as error:
            self._said(error)
            return None
        self.problems += [*tokens.problems, *evaluated]
        self._kept = tokens.kept
        return tokens

    def _try_rewards(self, train: Prepared) -> None:
        key = "reward_functions"
        if not self._job.reward_functions or key in self._refused or any(each.key == key for each in self.problems):
            return
        from aligntune_core.rewards import probe, resolve

        try:
            told = self._encoding
            functions = resolve(
                self._job.reward_functions,
                max_completion_length=told.max_completion_length if told else None,
                named=named_rewards(self._job, self._known),
            )
            first = [train.rows[index] for index in range(min(2, len(train.rows)))]
            probe(functions, first, allow_missing=told is not None and told.may_lack_rewards)
        except AlignTuneError as error:
            self._said(error)

    def _hear(self, event: Event) -> None:
        from aligntune_core.events import DataReady, Notice

        if isinstance(event, DataReady):
            self._reports.append(event)
        elif isinstance(event, Notice) and event.warning:
            code, key = event.code or "notice", event.key
            self.problems.append(Problem(code, event.message, "", key, Severity.WARNING))
        elif isinstance(event, Notice):
            self._notes.append(event.message)

    def _said(self, error: AlignTuneError) -> None:
        if isinstance(error, JobError):
            self.problems += error.problems
        else:
            key = _ERROR_KEYS.get(error.code, "")
            self.problems.append(Problem(error.code, error.message, error.fix, key))

    def _failed(self, error: HookError) -> None:
        # a value that was refused already is not the backend's fault
        if not self._refused:
            self.problems.append(error.problem)


def _rows_left(rows: int, tokens: Tokens | None) -> int:
    """Rows that are trained on: those that were looked at say how many of the rest are left out."""
    if tokens is None or not tokens.lengths.left_out:
        return rows
    return rows - round(rows * tokens.lengths.left_out / tokens.lengths.rows)
