"""A resumed run keeps to its job: no step too many, its own intervals, and no false alarms."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from trl_runs import outcome, resumable, trained

from aligntune_core import CheckpointError, JobError
from aligntune_core.events import CheckpointSaved, Finished, Started, Stepped
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.resuming import tied_names


@pytest.fixture(scope="module")
def finished(letters, tmp_path_factory):
    """The folder and the weights of an SFT run of four steps."""
    folder = tmp_path_factory.mktemp("finished")
    run = trained(resumable("sft", letters, folder, max_steps=4, save_steps=2))
    return folder, outcome(run)["weights"]


@pytest.mark.parametrize("length", [{}, {"max_steps": 3}, {"max_steps": None, "num_epochs": 0.8}])
def test_a_finished_run_is_not_trained_on(letters, finished, tmp_path, length):
    folder, weights = finished
    run = resumable(
        "sft", letters, tmp_path, **{"max_steps": 4, "save_steps": 1, "resume": f"{folder}/checkpoint-4", **length}
    )
    result = run.trainer.train()
    assert (result.steps, result.metrics) == (4, {})
    assert outcome(run)["weights"] == weights
    assert not any(isinstance(event, Stepped | CheckpointSaved) for event in run.events)
    assert [
        event.step if hasattr(event, "step") else event.steps for event in run.events if isinstance(event, Finished)
    ]
    (notice,) = [text for text in run.notices() if "nothing is left to train" in text]
    assert "checkpoint-4' is at step 4" in notice
    run.trainer.save(tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").is_file()


@pytest.mark.parametrize("algorithm", ["grpo", "dpo"])
def test_a_finished_run_of_another_kind(letters, tmp_path, algorithm):
    first = trained(resumable(algorithm, letters, tmp_path, lora=True, max_steps=2, save_steps=2))
    again = resumable(algorithm, letters, tmp_path, lora=True, max_steps=2, save_steps=2, resume=True)
    assert again.trainer.train().steps == 2
    assert outcome(again)["weights"] == outcome(first)["weights"]


def test_the_jobs_intervals_hold_and_nothing_is_said_of_them(letters, finished, tmp_path, caplog):
    folder, _ = finished
    job = {"max_steps": 6, "save_steps": 1, "logging_steps": 2, "resume": f"{folder}/checkpoint-2"}
    with _heard(caplog):
        run = trained(resumable("sft", letters, tmp_path, **job))
    assert [event.step for event in run.events if isinstance(event, CheckpointSaved)] == [3, 4, 5, 6]
    assert [event.step for event in run.events if isinstance(event, Stepped) and event.metrics] == [4, 6]
    assert "do not match" not in caplog.text


def test_checkpoints_say_whose_they_are(letters, finished, tmp_path):
    folder, _ = finished
    written = json.loads((folder / "checkpoint-2" / "aligntune_job.json").read_text())
    assert (written["algorithm"], written["model_name"]) == ("sft", letters)
    with pytest.raises((CheckpointError, JobError), match="is of algorithm 'sft', but the job is of 'dpo'"):
        resumable("dpo", letters, tmp_path, resume=f"{folder}/checkpoint-2")


def test_other_data_is_said_when_training_begins(letters, finished, tmp_path):
    folder, _ = finished
    other = [{"prompt": "ab", "completion": "cd"}] * 18
    job = {"max_steps": 3, "resume": f"{folder}/checkpoint-2"}
    run = resumable("sft", letters, tmp_path, **job)
    run.trainer.train()
    assert not [text for text in run.notices() if "learned from the dataset" in text]
    job_data = folder / "checkpoint-2" / "aligntune_job.json"
    written = json.loads(job_data.read_text())
    try:
        job_data.write_text(json.dumps({**written, "dataset_name": f"<list of {len(other)} rows>"}))
        run = trained(resumable("sft", letters, tmp_path, **job))
    finally:
        job_data.write_text(json.dumps(written))
    assert len([text for text in run.notices() if "learned from the dataset '<list of 18 rows>'" in text]) == 1


@pytest.fixture(scope="module")
def tied(letters, tmp_path_factory):
    """The folder of a model whose head is its embedding."""
    from transformers import AutoConfig, AutoTokenizer, LlamaForCausalLM

    folder = str(tmp_path_factory.mktemp("tied"))
    config = AutoConfig.from_pretrained(letters)
    config.tie_word_embeddings = True
    LlamaForCausalLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(letters).save_pretrained(folder)
    return folder


def test_a_tied_model_is_taken_up_in_silence(tied, tmp_path, caplog):
    trained(resumable("sft", tied, tmp_path, max_steps=1, save_steps=1))
    run = resumable("sft", tied, tmp_path, max_steps=2, save_steps=1, resume=True)
    with _heard(caplog):
        run.trainer.train()
    assert tied_names(run.trainer.model) == {"lm_head.weight", "model.embed_tokens.weight"}
    assert [event.first_step for event in run.events if isinstance(event, Started)] == [1]
    assert "missing keys" not in caplog.text
    assert "mtime" not in caplog.text


def test_only_false_alarms_are_silenced_and_only_for_a_while(caplog):
    logger = logging.getLogger("transformers.trainer")
    missing = "There were missing keys in the checkpoint model loaded: {}."
    differs = "Warning: The following arguments do not match the ones in the `trainer_state.json` within the checkpoint"
    with _heard(caplog):
        with quiet_engine({"lm_head.weight"}):
            logger.warning(missing.format(["lm_head.weight"]))
            logger.warning("%s directory: \n\tsave_steps: 1 (from args) != 2", differs)
            logging.getLogger("transformers.trainer_utils").warning("mtime may not be reliable on this filesystem, x")
            assert caplog.messages == []
            logger.warning(missing.format(["lm_head.weight", "other"]))
            logger.warning("%s directory: \n\tper_device_train_batch_size: 1 (from args) != 2", differs)
            assert len(caplog.messages) == 2
        logger.warning(missing.format(["lm_head.weight"]))
        assert len(caplog.messages) == 3


class _heard:  # noqa: N801 - used as a function
    """Let caplog hear transformers' loggers once: they pass messages on to the root only where CI is set."""

    def __init__(self, caplog):
        self._handler = caplog.handler
        self._logger = logging.getLogger("transformers")

    def __enter__(self):
        self._passes_on, self._logger.propagate = self._logger.propagate, False
        self._logger.addHandler(self._handler)

    def __exit__(self, *_):
        self._logger.removeHandler(self._handler)
        self._logger.propagate = self._passes_on


def test_weights_of_a_checkpoint_that_is_past_the_end_are_its_own(letters, finished, tmp_path):
    folder, weights = finished
    run = resumable("sft", letters, tmp_path, max_steps=2, resume=f"{folder}/checkpoint-4")
    with torch.no_grad():
        next(run.trainer.model.parameters()).zero_()
    assert run.trainer.train().steps == 4
    assert outcome(run)["weights"] == weights
