"""The codes of problems, for programs and for people who look one up: what each means and when it is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """What a code stands for.

    Args:
        severity: ``error`` for what stops a job, ``warning`` for what is only said, ``either`` for what may be both.
        level: The least level of a check that finds it: ``fast``, ``data``, ``probe``, or ``run`` for what only
            training shows.
        meaning: What is wrong.
        why: What would happen otherwise, or what to do.
        launch: What says it of a job that is launched without a check; one of ``LAUNCH``.

    Raises:
        ValueError: If ``launch`` is none of those.
    """

    severity: str
    level: str
    meaning: str
    why: str
    launch: str = "decision"

    def __post_init__(self) -> None:
        if self.launch not in LAUNCH:
            raise ValueError(f"'{self.launch}' says nothing at a launch; what does: {', '.join(LAUNCH)}")


LAUNCH: Mapping[str, str] = {
    "decision": "the decision, which a check and a launch make alike",
    "data": "the pass over the dataset, which a check and a launch make alike",
    "tokens": "the same look at rows as tokens that a check takes, before the model is loaded",
    "trainer": "the backend, while it makes the trainer",
    "run": "the run, when it begins or while it goes",
    "check": "only a check says it: a launch takes the steps themselves",
}
"""What can say a finding of a job that is launched without a check."""


def _fast(meaning: str, why: str, severity: str = "error", launch: str = "decision") -> ProblemCode:
    return ProblemCode(severity, "fast", meaning, why, launch)


def _data(meaning: str, why: str, severity: str = "warning", launch: str = "tokens") -> ProblemCode:
    return ProblemCode(severity, "data", meaning, why, launch)


CODES: Mapping[str, ProblemCode] = {
    # how the job is written
    "job-file": _fast("The job file can't be read, is not YAML or not UTF-8", "The line is named."),
    "unknown-key": _fast(
        "A job, or the engine, has no such key", "An unknown key would be ignored; close ones are offered."
    ),
    "missing-key": _fast("A key that the job needs is not there", "Add it."),
    "wrong-type": _fast(
        "A value is of the wrong kind", "An engine would fail on it late, or read it as something else."
    ),
    "out-of-range": _fast("A number makes no sense for its key", "E.g. a batch of 0."),
    "not-a-choice": _fast("A value is none of the key's choices", "Close ones are offered."),
    "contradiction": _fast("Two keys exclude or repeat each other", "One would win unsaid."),
    "no-effect": _fast("A key has no effect in this job", "A setting that does nothing is a mistake.", "either"),
    "wrong-factory": _fast("The function that was called does not train this algorithm", "The other one is named."),
    # what can train it
    "unknown-algorithm": _fast("There is no such algorithm", "Close ones are offered."),
    "ambiguous-algorithm": _fast("The algorithm means different things to several backends", "They are named."),
    "algorithm-alias": _fast(
        "The algorithm is called by another name that a backend gave it", "So it is said.", "warning"
    ),
    "unknown-backend": _fast("There is no such backend", "Close ones are offered."),
    "unsupported-algorithm": _fast("The backend does not train the algorithm", "The backend that does is named."),
    "unsupported-feature": _fast("The backend does not train the algorithm in this way", "E.g. on a CPU."),
    "unsupported-key": _fast("The backend does not take a key", "It would be dropped."),
    "backend-not-installed": _fast("The backend, or a package it needs, is not installed", "The command is named."),
    "backend-broken": _fast("The backend's plugin fails or breaks the contract", "Other backends are not touched."),
    "backend-disabled": _fast("An environment variable switches the backend off", "It is named."),
    "backend-heavy": _fast("Importing the backend's plugin imports an engine", "Every query is slow.", "warning"),
    "backend-record": _fast(
        "What the backend's distribution recorded of it can't be read, or is not what its plugin says",
        "The plugin holds, but queries may have answered from the record.",
        "warning",
    ),
    "backend-hook": _fast(
        "The backend's plugin implements a hook that this core never calls, or one that goes",
        "What it does there is not done.",
        "warning",
    ),
    "algorithm-clash": _fast(
        "What the backend means by an algorithm's name is not what the core or another backend means",
        "What clashes with the core is refused; the rest of the backend works.",
        "warning",
    ),
    "backend-job-key": _fast(
        "The backend says it takes a job key that there is not", "Close ones are offered.", "warning"
    ),
    "backend-side-effect": _fast(
        "The backend's plugin prints, or changes the whole process",
        "It was undone: others would be hurt by it.",
        "warning",
    ),
    "no-backend": _fast("No backend can run the job here", "Why not each is said."),
    "process-conflict": _fast("This process has imported what the backend can't live with", "Use isolation: process."),
    "import-order": _fast("This process has imported modules in the wrong order", "Use isolation: process."),
    # what it needs from the machine
    "precision": _fast("The device can't train in this precision", "The engine would ignore it or fail late."),
    "output-not-writable": _fast(
        "Nothing can be written to the output folder", "The run would fail at its first save."
    ),
    "output-in-use": _fast("The output folder holds checkpoints of another run", "They may be overwritten.", "warning"),
    "disk-full": _fast("The checkpoints do not fit on the disk", "The run would break off.", "warning", "data"),
    # the model
    "unknown-model": _fast("There is no built-in model of that name", "Close ones are offered."),
    "model-not-found": _fast("There is no model at that path", "Close ones are offered."),
    "model-not-readable": _fast("The file or folder holds no model", "What is missing is named."),
    "model": _data(
        "The model's configuration or tokenizer can't be loaded, or does not fit", "Why is said.", "error", "trainer"
    ),
    "checkpoint": _fast("There is no whole checkpoint to go on from, or it is of another job", "Why is said."),
    # the rewards
    "no-reward": _fast("The algorithm learns from rewards, and the job has none", "Add a function or a model."),
    "reward-weight": _fast("A reward function's weight is no number, or 0", "With 0 it counts nothing.", "either"),
    "reward-function": _fast(
        "A reward function can't be found, or can't be called as engines call it", "Close ones are offered."
    ),
    "reward": _data(
        "A reward function fails, or returns something that is no reward",
        "Functions are called on made-up completions.",
        "error",
        "trainer",
    ),
    # the schedule
    "warmup-too-long": _fast(
        "The warm-up is as long as the run or longer", "The learning rate never reaches its height.", "warning"
    ),
    "no-checkpoint": _fast("The run ends before its first checkpoint", "Only its end is saved.", "warning"),
    "never-evaluated": _fast("The run ends before its first evaluation", "Nothing is evaluated meanwhile.", "warning"),
    "never-logged": _fast("The run ends before its first log", "No loss is seen.", "warning"),
    # the data
    "data": _fast(
        "The dataset can't be read, lacks columns, is empty, or none of its rows can be used",
        "What was found and what was expected is said; for a hub's dataset only when the data is read.",
    ),
    "data-perhaps-a-file": _fast(
        "The name means a dataset of the hub, and a file of nearly that name is here", "The file is named.", "warning"
    ),
    "rows-unused": _data("Rows can't be used", "They are counted by reason, and left out.", launch="data"),
    "cache-unusable": _data(
        "The rows can't be kept on the disk",
        "They stay in memory, and are converted again the next time.",
        launch="data",
    ),
    "rows-left-out": _data(
        "Rows have nothing left to learn from within the length", "They are left out.", launch="trainer"
    ),
    "rows-cut": _data("Rows are longer than the length", "What goes beyond is cut off."),
    "nothing-to-learn": _data(
        "No row has anything to learn from, or a prompt nothing to answer",
        "The run would end at once, or learn nothing with a loss of 0 or NaN.",
        "error",
    ),
    "too-few-rows": _data(
        "There are fewer rows than one step needs", "The run would end with no step taken.", "error", "trainer"
    ),
    "beyond-context": _data(
        "Rows are longer than what the model was made for",
        "Its answers there are guesses; an error for a model that fails there.",
        "either",
    ),
    "prompt-too-long": _data("Prompts fill the model's context", "No answer can follow them.", "error"),
    "prompts-cramped": _data("Prompts leave less room than an answer may take", "Answers go beyond the context."),
    "no-end-token": _data("What is learned has no end token", "The model won't learn to stop."),
    "pad-is-end": _data("The model tells padding by the end token", "The end of an answer is not read."),
    "prompt-differs": _data(
        "A prompt alone is tokenised otherwise than before its answer", "What is learned is not what is asked later."
    ),
    "template-does-not-ask": _data(
        "The chat template does not introduce an answer", "The model is not told when to answer."
    ),
    "evaluation-overlap": _data(
        "Evaluation rows are in the training data", "Their score says how well they are remembered.", launch="data"
    ),
    # two steps
    "trial-failed": ProblemCode(
        "error", "probe", "A trial of two steps failed", "The run would fail in the same way.", "check"
    ),
    "trial-warning": ProblemCode("warning", "probe", "A trial of two steps gave doubts", "So would the run.", "check"),
    # while a run goes
    "run": ProblemCode("error", "run", "The run could not go on, e.g. because it diverged", "Why is said.", "run"),
    "backend": ProblemCode("error", "run", "The backend broke the contract", "Report it to its authors.", "run"),
    "late-event": ProblemCode(
        "warning", "run", "The backend sent an event of a training outside of one", "It is left out.", "run"
    ),
    "missing-event": ProblemCode(
        "warning", "run", "The backend did not tell of a training's beginning or end", "Little was told of it.", "run"
    ),
    "missing-checkpoint": ProblemCode(
        "warning", "run", "The backend told of a checkpoint that is not there", "There is none to go on from.", "run"
    ),
    "weights-unchanged": ProblemCode(
        "warning", "run", "A training left the weights as they were", "The learning rate may be too small.", "run"
    ),
    "environment": ProblemCode(
        "error", "data", "The environment that the backend lives in can't be asked", "Why is said.", "trainer"
    ),
    # in a process of its own
    "other-process": ProblemCode(
        "error", "run", "Something can't be given to another process", "Its name and type are told.", "trainer"
    ),
    "process-start": ProblemCode(
        "error",
        "run",
        "The interpreter of the job's process does not start or has no AlignTune",
        "Why is said.",
        "run",
    ),
    "process-version": ProblemCode(
        "error", "run", "The job's process has another version of AlignTune", "Install the same in both.", "run"
    ),
    "process-died": ProblemCode(
        "error", "run", "The job's process ended before its work was done", "How, and what it printed last.", "run"
    ),
    "process-channel": ProblemCode(
        "error", "run", "The job's process spoilt its channel to the program", "It is ended.", "run"
    ),
}
"""The core's codes. A backend may have further ones."""


def markdown_lines(codes: Mapping[str, ProblemCode]) -> Iterator[str]:
    """The lines of a Markdown table.

    Args:
        codes: What each code stands for.
    """
    yield "| code | severity | found by | at launch | what is wrong | |"
    yield "|---|---|---|---|---|---|"
    for name, code in codes.items():
        yield f"| `{name}` | {code.severity} | {code.level} | {code.launch} | {code.meaning} | {code.why} |"
