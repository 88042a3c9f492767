"""Faults that a backend may have, and what a user is told of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scripted import RESULT, RUN, STEPS, Script, write

from aligntune_core import (
    BackendError,
    CheckpointSaved,
    DataReady,
    Evaluated,
    Finished,
    Notice,
    RunError,
    Started,
    Stepped,
)
from aligntune_core.events import Decided

NAN, INF = float("nan"), float("inf")


def script_of(*events, **other):
    return Script(events=events, **other)


def returned(**fields):
    return Script(result=replace(RESULT, **fields))


BREACHES = {
    "an event of no type": (script_of(Started(3), {"event": "Stepped"}), "sent a dict, which is no event"),
    "an event's class": (script_of(Started), "sent a type, which is no event"),
    "the core's event": (script_of(Decided("x", "y")), "sent Decided, which only the core sends"),
    "a step before the start": (script_of(*STEPS), "sent Stepped before Started"),
    "a checkpoint before the start": (script_of(CheckpointSaved(1, "x")), "sent CheckpointSaved before Started"),
    "an end without a start": (script_of(Finished(3, 1.0)), "sent Finished before Started"),
    "two starts": (script_of(Started(3), Started(3)), "sent Started twice in one training"),
    "steps back": (script_of(Started(3), *STEPS[:2], Stepped(1)), "sent Stepped with step 1 after step 2"),
    "steps from zero": (
        script_of(Started(3), Stepped(0)),
        "sent Stepped with step 0 in a training whose first step is 1",
    ),
    "steps of before the resume": (
        script_of(Started(9, 4), Stepped(4)),
        "sent Stepped with step 4 in a training whose first step is 5",
    ),
    "more steps than there are": (script_of(Started(2), *STEPS), "sent Stepped with step 3 in a training of 2 steps"),
    "more steps at the end": (
        script_of(Started(3), *STEPS, Finished(4, 1.0)),
        "Finished with step 4 in a training of 3",
    ),
    "fewer steps at the end": (
        script_of(Started(3), *STEPS, Finished(2, 1.0)),
        "sent Finished with step 2 after step 3",
    ),
    "a checkpoint of a step to come": (
        script_of(Started(3), CheckpointSaved(2, "x")),
        "CheckpointSaved with step 2 after step 0",
    ),
    "a step after the end": (script_of(*RUN, Stepped(3)), "sent Stepped after Finished"),
    "a checkpoint after the end": (script_of(*RUN, CheckpointSaved(3, "x")), "sent CheckpointSaved after Finished"),
    "two ends": (script_of(*RUN, Finished(3, 1.0)), "sent Finished after Finished"),
    "a step that is text": (
        script_of(Started(3), Stepped("1")),
        "sent Stepped wrongly: its 'step' is '1' of type str, not a whole",
    ),
    "a step that is true": (
        script_of(Started(3), Stepped(True)),
        "its 'step' is True of type bool, not a whole number",
    ),
    "steps below zero": (script_of(Started(-3)), "its 'total_steps' is -3 of type int, not a whole number, 0 or more"),
    "a loss that is text": (
        script_of(Started(3), Stepped(1, {"loss": "low"})),
        "its metrics['loss'] is 'low' of type str, not a plain number",
    ),
    "a loss that is None": (
        script_of(Started(3), Stepped(1, {"loss": None})),
        "its metrics['loss'] is None of type NoneType",
    ),
    "metrics that are a list": (script_of(Started(3), Stepped(1, [1.0])), "its 'metrics' is [1.0], not a mapping"),
    "metrics without names": (
        script_of(Started(3), Stepped(1, {1: 1.0})),
        "its 'metrics' has the key 1, which is no text",
    ),
    "figures of an evaluation": (
        script_of(Started(3), Evaluated(1, {"eval_loss": [1.0]})),
        "sent Evaluated wrongly: its metrics['eval_loss']",
    ),
    "a checkpoint's path": (
        script_of(Started(3), Stepped(1), CheckpointSaved(1, Path("x"))),
        "sent CheckpointSaved wrongly: its 'path' is",
    ),
    "a notice that is a number": (
        script_of(Notice(3)),
        "sent Notice wrongly: its 'message' is 3 of type int, not text",
    ),
    "rows that are not counted": (
        script_of(DataReady("x", "y", "z", None)),
        "sent DataReady wrongly: its 'rows' is None",
    ),
    "seconds that are text": (script_of(Started(3), *STEPS, Finished(3, "1")), "its 'seconds' is '1' of type str"),
    "no result": (Script(result=None), "returned a NoneType from train(), not a TrainResult"),
    "a result of another type": (Script(result={"steps": 3}), "returned a dict from train(), not a TrainResult"),
    "steps that are a fraction": (returned(steps=3.0), "in which 'steps' is 3.0 of type float, not a whole number"),
    "a mean loss that is text": (
        returned(train_loss="2"),
        "in which 'train_loss' is '2' of type str, not a plain number or None",
    ),
    "a folder that is a path": (returned(output_dir=Path("out")), "in which 'output_dir' is"),
    "closing figures": (returned(metrics={"epoch": "1"}), "in which metrics['epoch'] is '1' of type str"),
    "fewer steps than told": (returned(steps=2), "returned steps=2 from train(), and its events told of 3"),
    "fewer steps and no end": (
        script_of(Started(3), *STEPS, result=replace(RESULT, steps=2)),
        "returned steps=2 from train(), and its events told of 3",
    ),
    "more steps and no end": (
        script_of(Started(3), *STEPS, result=replace(RESULT, steps=5)),
        "returned steps=5 from train(), in a training of 3 steps",
    ),
    "more steps than told": (returned(steps=5), "returned steps=5 from train(), and its events told of 3"),
    "no path": (Script(save=lambda _: None), "returned None from save(), not the path of what it saved"),
    "no figures": (
        Script(figures=None),
        "returned something wrong from evaluate(): its 'figures' is None, not a mapping",
    ),
    "a figure that is text": (Script(figures={"eval_loss": "1"}), "figures['eval_loss'] is '1' of type str"),
}

FAILURES = {
    "a loss that is no number": (
        script_of(Started(3), Stepped(1, {"loss": NAN})),
        "Training diverged: 'loss' is nan at step 1.",
    ),
    "a loss without end": (
        script_of(Started(3), *STEPS[:2], Stepped(3, {"loss": INF})),
        "Training diverged: 'loss' is inf at step 3.",
    ),
    "a mean loss at the end": (
        script_of(Started(3), *STEPS, Finished(3, 1.0, {"train_loss": NAN})),
        "Training diverged: 'train_loss' is nan at step 3.",
    ),
    "a mean loss in the result": (returned(train_loss=INF), "Training diverged: 'train_loss' is inf at step 3."),
    "no step": (script_of(Started(3), Finished(0, 1.0), result=replace(RESULT, steps=0)), "no step was taken"),
    "no step and nothing told": (script_of(result=replace(RESULT, steps=0)), "no step was taken"),
    "no step after a resume": (
        script_of(Started(9, 4), Finished(4, 1.0), result=replace(RESULT, steps=4)),
        "no step was taken",
    ),
    "a folder that is not there": (
        Script(save=lambda folder: folder),
        "backend 'planted' names 'out', which does not exist.",
    ),
    "a folder without a model": (Script(save=lambda folder: folder.mkdir() or folder), "which holds no model."),
    "an empty file": (
        Script(save=lambda folder: write(folder).joinpath("model.txt").write_text("") or folder),
        "which holds no model.",
    ),
    "a link to what is gone": (
        Script(save=lambda folder: folder.mkdir() or (folder / "model").symlink_to("gone") or folder),
        "which holds no model.",
    ),
    "a folder with a checkpoint alone": (
        Script(save=lambda folder: write(folder / "checkpoint-3") and folder),
        "which holds no model.",
    ),
    "an end of the process": (
        Script(raises={"train": SystemExit(0)}),
        "tried to end the process while it trained: SystemExit: 0.",
    ),
    "an end while evaluating": (
        Script(raises={"evaluate": SystemExit(4)}),
        "tried to end the process while it evaluated: SystemExit: 4.",
    ),
    "an end while saving": (
        Script(raises={"save": GeneratorExit()}),
        "tried to end the process while it saved the model: GeneratorExit.",
    ),
}

FAULTS = {
    **{name: (script, BackendError, said) for name, (script, said) in BREACHES.items()},
    **{name: (script, RunError, said) for name, (script, said) in FAILURES.items()},
}
