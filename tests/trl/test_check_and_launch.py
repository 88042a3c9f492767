"""A check and a launch say the same of a job: what is accepted trains, and what is refused is refused with a reason."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from trl_runs import FEW, build, share_of_a

from aligntune import check, create_trainer
from aligntune_core import AlignTuneError, DataError, JobError, ModelError, Notice, Severity
from aligntune_core.events import ignore
from aligntune_core.models.tiny import materialise
from aligntune_core.problem_codes import CODES
from aligntune_trl.problem_codes import CODES as TRL_CODES

ROWS = [{**row, "completion": "ab"} for row in FEW]
TURN = {"role": "user", "content": "a"}
CHAT = [{"messages": [{"role": "system", "content": "b"}, TURN, {"role": "assistant", "content": "c"}]}] * 4
LABELLED = [{**row, "label": True} for row in ROWS]
DATA = {"sft": ROWS, "kto": LABELLED, "grpo": FEW, "ppo": FEW}
SAMPLED = {
    "batch_size": 2,
    "num_generations": 2,
    "max_completion_length": 4,
    "max_steps": 1,
    "reward_functions": [share_of_a],
}


def judged(algorithm, model, dataset, level="data", **job):
    return check(level=level, algorithm=algorithm, model_name=str(model), dataset_name=dataset, backend="trl", **job)


def only(verdict):
    (problem,) = verdict.errors
    return problem


def with_template(folder, template):
    shutil.copytree(materialise("builtin:tiny"), folder)
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("algorithm", "arguments", "code", "name"),
    [
        ("grpo", {"generation_batch_size": 7}, "out-of-range", "generation_batch_size"),
        ("grpo", {"steps_per_generation": 0}, "out-of-range", "steps_per_generation"),
        ("kto", {"per_device_train_batch_size": 1}, "out-of-range", "per_device_train_batch_size"),
        ("ppo", {"num_mini_batches": 9, "per_device_train_batch_size": 8}, "ppo-setting", "num_mini_batches"),
        ("sft", {"eval_strategy": "epoch"}, "contradiction", "eval_strategy"),
        ("sft", {"load_best_model_at_end": True}, "contradiction", "load_best_model_at_end"),
    ],
)
def test_settings_that_do_not_agree_are_told_without_the_engine(algorithm, arguments, code, name, letters):
    job = {"reward_functions": [share_of_a]} if algorithm in {"grpo", "ppo"} else {}
    if algorithm == "grpo":
        job |= {"batch_size": 2, "num_generations": 2}
    problem = only(judged(algorithm, letters, DATA[algorithm], "fast", backend_args=arguments, **job))
    assert (problem.code, problem.key) == (code, f"backend_args.{name}")


def test_a_batch_of_half_a_group_is_refused(letters):
    job = {"num_generations": 2, "reward_functions": [share_of_a], "backend_args": {"per_device_train_batch_size": 3}}
    problem = only(judged("grpo", letters, FEW, "fast", **job))
    assert problem.key == "backend_args.per_device_train_batch_size"


def test_a_number_that_is_none_is_not_the_backend_s_fault(letters):
    job = {"backend_args": {"num_generations": None}, "reward_functions": [share_of_a]}
    assert [problem.code for problem in judged("grpo", letters, FEW, **job).errors] == ["wrong-type"]
    assert judged(
        "grpo", letters, FEW * 2, backend_args={"max_completion_length": None}, reward_functions=[share_of_a]
    ).ok


@pytest.mark.parametrize("name", ["eos_token", "pad_token"])
def test_a_token_that_is_none_of_the_tokenizer_s_is_told(name, letters):
    assert only(judged("sft", letters, ROWS, backend_args={name: "nope"})).key == f"backend_args.{name}"


@pytest.mark.parametrize("path", ["/nope/chat.jinja", "/nope"])
def test_a_chat_template_that_is_not_there_is_told(path, letters):
    problem = only(judged("sft", letters, ROWS, backend_args={"chat_template_path": path}))
    assert problem.key == "backend_args.chat_template_path"


def test_a_chat_template_that_fails_is_the_model_s_fault(tmp_path):
    model = with_template(tmp_path / "m", "{{ raise_exception('no system turns') }}")
    problem = only(judged("sft", model, CHAT))
    assert (problem.code, problem.key) == ("model", "model_name")
    assert "no system turns" in problem.message
    with pytest.raises(ModelError, match="no system turns"):
        build("sft", str(model), CHAT, output_dir=str(tmp_path))


def test_a_chat_template_that_wants_more_turns_than_one_is_used_with_them(tmp_path):
    template = (
        "{% if messages|length < 2 %}{{ raise_exception('too few') }}{% endif %}"
        "{% for turn in messages %}{{ turn['content'] + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}:{% endif %}"
    )
    model = with_template(tmp_path / "m", template)
    assert judged("sft", model, CHAT, max_steps=1).ok
    build("sft", str(model), CHAT, output_dir=str(tmp_path), max_steps=1).trainer.train()


def test_prompts_without_a_token_are_refused(tmp_path):
    model = with_template(tmp_path / "m", "{{ '' }}")
    rows = [{"prompt": [TURN]}] * 4
    assert only(judged("grpo", model, rows, **SAMPLED)).code == "nothing-to-learn"
    with pytest.raises(DataError, match="nothing to answer"):
        create_trainer(
            on_event=ignore, algorithm="grpo", model_name=str(model), dataset_name=rows, backend="trl", **SAMPLED
        )


def test_prompts_keep_their_column_of_messages(letters, tmp_path):
    rows = [{"messages": [TURN, {"role": "assistant", "content": "b"}], "label": True}] * 4
    assert judged("grpo", letters, rows, **SAMPLED).ok
    job = {"algorithm": "grpo", "model_name": letters, "dataset_name": rows, "output_dir": str(tmp_path), **SAMPLED}
    assert create_trainer(on_event=ignore, backend="trl", **job).train().steps == 1


def test_a_model_that_scores_is_not_trained_to_write(tmp_path):
    model = shutil.copytree(materialise("builtin:tiny"), tmp_path / "m")
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config["architectures"] = ["LlamaForSequenceClassification"]
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert "writes no text" in only(judged("sft", model, CHAT)).message
    with pytest.raises(ModelError, match="writes no text"):
        build("sft", str(model), CHAT, output_dir=str(tmp_path))


@pytest.mark.parametrize("name", ["builtin:tiny", "adapter"])
def test_a_reward_model_that_gives_no_score_is_told_by_the_names_on_the_disk(name, letters, tmp_path):
    if name == "adapter":
        (tmp_path / "adapter_config.json").write_text('{"task_type": "CAUSAL_LM"}', encoding="utf-8")
        (tmp_path / "adapter_model.bin").touch()
        name = str(tmp_path)
    assert only(judged("ppo", letters, FEW, "fast", reward_model_name=name)).code == "reward-model"


def test_tokens_that_the_model_does_not_know_are_told(tmp_path):
    from transformers import AutoTokenizer

    model = Path(shutil.copytree(materialise("builtin:tiny"), tmp_path / "m"))
    tokenizer = AutoTokenizer.from_pretrained(str(model))
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(str(model))
    rows = [{"prompt": "a <new>", "completion": "b"}] * 4
    problem = only(judged("sft", model, rows))
    assert (problem.code, problem.key) == ("model", "model_name")
    assert "doesn't know" in problem.message


def test_rows_beyond_the_table_of_positions_are_refused(letters, tmp_path):
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    tokenizer = AutoTokenizer.from_pretrained(letters)
    GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tokenizer), n_positions=16, n_embd=8, n_layer=1, n_head=1)
    ).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    rows = [{"text": "abc" * 20}] * 4
    assert only(judged("sft", tmp_path, rows)).code == "beyond-context"
    with pytest.raises(DataError, match="can read 16"):
        build("sft", str(tmp_path), rows, output_dir=str(tmp_path / "out"))
    assert judged("sft", tmp_path, rows, max_seq_length=16).ok


def test_rows_that_are_packed_are_cut_and_counted_when_they_are(letters):
    rows = [{"text": "abc" * 20}] * 4
    verdict = judged("sft", letters, rows, packing=True, max_seq_length=16)
    assert [problem.code for problem in verdict.warnings] == ["rows-cut"]
    assert verdict.examination.plan.steps is None
    split = judged("sft", letters, rows, packing=True, max_seq_length=16, backend_args={"packing_strategy": "wrapped"})
    assert split.warnings == ()


def test_a_probe_is_short_whatever_the_engine_s_arguments(letters):
    arguments = {"max_steps": 9, "save_strategy": "steps", "eval_strategy": "steps", "eval_steps": 500}
    arguments["load_best_model_at_end"] = True
    job = {"eval_dataset_name": [{"prompt": "f", "completion": "e"}], "batch_size": 2, "backend_args": arguments}
    verdict = judged("sft", letters, ROWS, "probe", **job)
    assert verdict.ok, verdict.problems
    assert verdict.examination.trial.steps == 2


def test_a_probe_passes_over_rows_that_can_not_be_learned_from(letters):
    unusable = [{"prompt": "a", "completion": ""}] * 3
    too_long = [{"prompt": "ab" * 20, "completion": "c"}] * 3
    verdict = judged("sft", letters, unusable + too_long + ROWS[:2], "probe", max_seq_length=12, batch_size=2)
    assert verdict.ok, verdict.problems
    assert verdict.examination.trial.steps == 2


def test_rows_that_are_left_out_are_said_with_their_code(letters, tmp_path):
    pairs = [{**row, "chosen": "aa", "rejected": "fe"} for row in FEW]
    pairs.append({"prompt": "ab" * 20, "chosen": "a", "rejected": "b"})
    run = build("reward", letters, pairs, max_seq_length=12, output_dir=str(tmp_path))
    (notice,) = [event for event in run.events if getattr(event, "code", "") == "rows-left-out"]
    assert "are longer than max_seq_length=12" in notice.message


def test_an_adapter_without_a_tokenizer_has_its_base_s(tmp_path):
    run = build("sft", "builtin:tiny", CHAT, max_steps=1, use_peft=True, output_dir=str(tmp_path / "a"))
    run.trainer.save(tmp_path / "a")
    for file in (tmp_path / "a").glob("tokenizer*"):
        file.unlink()
    again = build("sft", str(tmp_path / "a"), CHAT, max_steps=1, output_dir=str(tmp_path / "b"))
    assert again.trainer.train().steps == 1


def test_a_reward_function_that_ends_the_process_ends_only_the_job(letters, tmp_path):
    def leave(**_):
        raise SystemExit(3)

    job = {**SAMPLED, "reward_functions": [leave]}
    assert only(judged("grpo", letters, FEW, **job)).code == "reward"
    with pytest.raises(AlignTuneError, match="SystemExit"):
        create_trainer(
            on_event=ignore,
            algorithm="grpo",
            model_name=letters,
            dataset_name=FEW,
            output_dir=str(tmp_path),
            backend="trl",
            **job,
        )


def test_what_a_reward_function_prints_is_not_in_the_answer(letters, tmp_path):
    (tmp_path / "loud.py").write_text(
        "def loud(completions, **_):\n    print('loud')\n    return [1.0] * len(completions)\n", encoding="utf-8"
    )
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a"}\n' * 16, encoding="utf-8")
    words = {
        "algorithm": "grpo",
        "model_name": letters,
        "dataset_name": tmp_path / "rows.jsonl",
        "reward_functions": f"{tmp_path / 'loud.py'}:loud",
    }
    start = "from aligntune_core.cli.main import main; main()"
    given = [f"{key}={value}" for key, value in words.items()]
    command = [sys.executable, "-c", start, "check", *given, "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.stdout, found.stderr
    assert json.loads(found.stdout)["ok"]
    assert "loud" in found.stderr


ENDLESS = "{% for turn in messages %}{{ turn['content'] }}{% endfor %}{% if add_generation_prompt %}:{% endif %}"
SILENT = "{% for turn in messages %}{{ turn['content'] + eos_token }}{% endfor %}"
LONG = {"prompt": "ab" * 6, "completion": "cd" * 20}
PAIRS = [{**row, "chosen": "aa", "rejected": "fe"} for row in FEW]
FAULTS = {
    "model": ("sft", "letters", [{"prompt": "a", "completion": "b"}] * 4, {"backend_args": {"eos_token": "nope"}}),
    "unknown-layer": (
        "sft",
        "letters",
        ROWS,
        {"use_peft": True, "lora_target_modules": ["q_proj", "nope"]},
    ),
    "reward": ("grpo", "letters", FEW, {**SAMPLED, "reward_functions": [lambda **_: None]}),
    "rows-unused": ("sft", "letters", [*ROWS, {"prompt": "a", "completion": ""}], {}),
    "rows-left-out": ("reward", "letters", [*PAIRS, {**PAIRS[0], "chosen": "ab" * 20}], {"max_seq_length": 12}),
    "rows-cut": ("sft", "letters", [*ROWS, LONG], {"max_seq_length": 24}),
    "nothing-to-learn": ("sft", "letters", [{**LONG, "prompt": "ab" * 20}] * 3, {"max_seq_length": 12}),
    "too-few-rows": ("grpo", "letters", FEW[:1], SAMPLED),
    "beyond-context": ("sft", "letters", [{"text": "abcd" * 20}] * 4, {"max_seq_length": 100}),
    "prompt-too-long": ("grpo", "letters", [*FEW, {"prompt": "ab" * 40}], SAMPLED),
    "prompts-cramped": ("grpo", "letters", [*FEW, {"prompt": "a" * 62}], SAMPLED),
    "no-end-token": ("sft", ENDLESS, CHAT, {}),
    "template-does-not-ask": ("grpo", SILENT, [{"prompt": [TURN]}] * 4, SAMPLED),
    "prompt-differs": ("sft", "builtin:tiny", [{"prompt": "the ca", "completion": "t is here"}] * 4, {}),
    "evaluation-overlap": ("sft", "letters", ROWS, {"eval_dataset_name": ROWS[:2]}),
}
"""By the code of what is found in data: a job that has just this fault."""


def fault(code, letters, folder):
    algorithm, model, rows, job = FAULTS[code]
    if model == "letters":
        model = letters
    elif "{" in model:
        model = str(with_template(folder / "m", model))
    return algorithm, model, rows, {"output_dir": str(folder / "out"), **job}


@pytest.mark.parametrize("code", FAULTS)
def test_what_a_check_finds_in_data_a_launch_says_in_the_same_words(code, letters, tmp_path):
    algorithm, model, rows, job = fault(code, letters, tmp_path)
    (found,) = [each for each in judged(algorithm, model, rows, **job).problems if each.code == code]
    said = []
    try:
        create_trainer(
            on_event=said.append, algorithm=algorithm, model_name=model, dataset_name=rows, backend="trl", **job
        )
    except JobError as error:
        raised = {(each.code, each.message) for each in error.problems}
    except AlignTuneError as error:
        raised = {(error.code, error.message)}
    else:
        raised = set()
    if found.severity is Severity.ERROR:
        assert raised == {(code, found.message)}
        return
    assert not raised
    (notice,) = [event for event in said if isinstance(event, Notice) and event.code == code]
    assert notice.warning
    assert notice.key == found.key
    if code == "rows-left-out":  # counted by the engine that leaves them out
        assert notice.message.startswith(found.message.removesuffix(" and are left out."))
    else:
        assert notice.message == str(found)


def test_every_code_of_data_is_tried():
    codes = {code for code, each in {**CODES, **TRL_CODES}.items() if each.level == "data"}
    # of a classifier without a padding token of its own, of the disk, and of where the backend lives: not of the data
    assert codes - {"pad-is-end", "cache-unusable", "environment"} <= set(FAULTS)


def test_how_much_of_what_would_be_learned_is_cut_is_said_at_launch_too(tmp_path):
    rows = [{"instruction": "Repeat", "input": "word " * n, "output": "word " * n} for n in range(1, 65)]
    job = {"max_seq_length": 128, "output_dir": str(tmp_path)}
    (found,) = [each for each in judged("sft", "builtin:tiny", rows, **job).problems if each.code == "rows-cut"]
    assert "% of what would be learned" in found.message
    assert str(found) in build("sft", "builtin:tiny", rows, **job).warnings()


def test_checkpoints_that_do_not_fit_are_said_at_launch_too(letters, tmp_path, monkeypatch):
    monkeypatch.setattr("aligntune_core.check.disk.free_bytes", lambda _: 1000)
    (found,) = judged("sft", letters, ROWS, output_dir=str(tmp_path)).warnings
    assert found.code == "disk-full"
    assert str(found) in build("sft", letters, ROWS, output_dir=str(tmp_path)).warnings()
