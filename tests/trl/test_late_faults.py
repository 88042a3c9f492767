"""Faults of a job that used to be met late, in a traceback or not at all, are told before training starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from trl_runs import FEW, PROMPTS, build, share_of_a, trained

from aligntune import check
from aligntune_core import DataError, JobError, ModelError
from aligntune_core.job import Job
from aligntune_core.kit.loading import loading, loading_weights
from aligntune_trl.checks import trackers
from aligntune_trl.checks.job import job_problems
from aligntune_trl.translation.fields import choices, declared_fields
from aligntune_trl.translation.recipes import RECIPES

ROWS = [{"prompt": "ab", "completion": "aa"}] * 4

FEW_ANSWERED = [{**row, "completion": "ab"} for row in FEW]


def problems(algorithm="sft", **keys):
    job = Job(**{"algorithm": algorithm, "model_name": "m", "dataset_name": "d", "backend": "trl", **keys})
    return list(job_problems(job))


def only(*given, **keys):
    found = problems(*given, **keys)
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def copied(letters, tmp_path):
    return shutil.copytree(letters, tmp_path / "model")


@pytest.fixture
def installed(monkeypatch):
    """The modules that can be found; every other is not installed."""
    there = set()
    monkeypatch.setattr(trackers, "_is_there", there.__contains__)
    return there


@pytest.mark.parametrize("key", ["report_to", "backend_args.report_to"])
@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("wandb", "wandb", "wandb"),
        ("tensorboard", "tensorboard", "tensorboard"),
        ("tensorboard", "tensorboardX", "tensorboard"),
        ("comet_ml", "comet_ml", "comet-ml"),
        ("flyte", "flytekit", "flytekit"),
        ("azure_ml", "azureml.core", "azureml-sdk"),
    ],
)
def test_a_tracker_that_is_not_installed(installed, key, name, module, package):
    keys = {"report_to": [name]} if key == "report_to" else {"backend_args": {"report_to": name}}
    problem = only(**keys)
    assert (problem.code, problem.key) == ("not-installed", key)
    assert str(problem) == f"'{key}' names '{name}', which is not installed. Install it: pip install {package}."
    installed.add(module)
    assert problems(**keys) == []


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "meant"), [("wanbd", "wandb"), ("tensor_board", "tensorboard"), ("non", "none")])
def test_a_tracker_that_there_is_not(name, meant):
    problem = only(report_to=name)
    assert (problem.code, problem.key, problem.fix) == ("not-a-choice", "report_to", f"Did you mean '{meant}'?")
    assert "Known: all, azure_ml," in only(report_to="zzzzzz").fix


def test_no_tracker_and_every_tracker_stand_alone(installed):
    installed.add("wandb")
    assert problems(report_to="none") == problems(report_to="all") == problems(report_to=["wandb", "wandb"]) == []
    assert [only(report_to=["wandb", word]).code for word in ("none", "all")] == ["contradiction"] * 2


def test_a_run_s_own_folder_is_no_tracker(monkeypatch, tmp_path):
    (tmp_path / "no_such_tracker").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not trackers._is_there("no_such_tracker")
    assert not trackers._is_there("no_such_package.inner")
    assert trackers._is_there("json")


def test_every_tracker_of_this_transformers_has_a_row():
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    assert set(INTEGRATION_TO_CALLBACK) <= set(trackers.TRACKERS)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_length", "abc", "a whole number or null is expected."),
        ("max_length", "64", "a whole number or null is expected. Write 64, without quotes."),
        ("max_length", 64.5, "a whole number or null is expected."),
        ("max_length", True, "a whole number or null is expected."),
        ("weight_decay", "abc", "a number is expected."),
        ("weight_decay", "1e-4", "a number is expected. Write 0.0001, without quotes."),
        ("adam_epsilon", "1e-8", "a number is expected. Write 1.0e-08, without quotes."),
        ("seed", "x", "a whole number is expected."),
        ("bf16", "yes", "true or false or null is expected."),
        ("label_names", [1], "a list of texts or null is expected."),
        ("model_init_kwargs", 3, "a mapping or text or null is expected."),
    ],
)
def test_a_value_of_the_wrong_type(name, value, expected):
    problem = only(backend_args={name: value})
    assert (problem.code, problem.key) == ("wrong-type", f"backend_args.{name}")
    assert str(problem) == f"'backend_args.{name}' is {value!r}, but {expected}"


@pytest.mark.parametrize(
    ("algorithm", "name", "value"),
    [
        ("sft", "max_length", -5),
        ("sft", "max_length", 0),
        ("sft", "weight_decay", -0.1),
        ("sft", "seed", -1),
        ("sft", "learning_rate", 0),
        ("sft", "max_steps", -7),
        ("sft", "logging_steps", -3),
        ("grpo", "num_generations", 1),
        ("grpo", "temperature", 0.0),
        ("ppo", "kl_coef", -1.0),
    ],
)
def test_the_bounds_of_a_job_key_hold_for_the_engine_s_name_of_it(algorithm, name, value):
    problem = only(algorithm, backend_args={name: value})
    assert (problem.code, problem.key) == ("out-of-range", f"backend_args.{name}")
    assert problem.message.startswith(f"'backend_args.{name}' is {value!r}, but must be ")


@pytest.mark.parametrize(
    "given",
    [
        {"max_length": None}, {"weight_decay": 0}, {"max_steps": -1}, {"logging_steps": 0.1}, {"warmup_steps": 0.05},
        {"eval_steps": 0.5}, {"lr_scheduler_type": "cosine_warmup_with_min_lr"}, {"optim": "sgd"}, {"bf16": 1},
        {"model_init_kwargs": {"dtype": "float32"}}, {"lr_scheduler_kwargs": {}}, {"debug": "underflow_overflow"},
        {"accelerator_config": object()}, {"label_names": ("a",)}, {"include_for_metrics": "loss"},
    ],
)  # fmt: skip
def test_what_the_engine_takes_passes(given):
    assert problems(backend_args=given) == []


def test_the_engine_s_own_defaults_pass():
    for algorithm, recipe in RECIPES.items():
        fields = {name: field.default for name, field in declared_fields(recipe.config).items()}
        given = {key: fields[key] for key in fields if key not in {"output_dir", "disable_tqdm", *recipe.own_args}}
        refused = [each for each in problems(algorithm, backend_args=given) if each.code != "not-settable"]
        assert refused == [], algorithm


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("optim", "adamw_troch", "Did you mean 'adamw_torch'?"),
        ("save_strategy", "step", "Did you mean 'steps'?"),
        ("eval_strategy", False, "Write 'no' in quotes."),
        ("lr_scheduler_type", "cosin", "Did you mean 'cosine'?"),
    ],
)
def test_a_choice_that_there_is_not(name, value, fix):
    problem = only(backend_args={name: value})
    assert (problem.code, problem.key, problem.fix) == ("not-a-choice", f"backend_args.{name}", fix)


def test_the_choices_read_from_source_are_the_real_ones():
    from transformers.trainer_utils import SaveStrategy, SchedulerType
    from transformers.training_args import OptimizerNames

    for enum in (OptimizerNames, SaveStrategy, SchedulerType):
        assert set(choices(enum.__name__)) == {each.value for each in enum}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("r", "eight", "wrong-type"), ("r", -1, "out-of-range"), ("lora_dropout", 2.0, "out-of-range"),
     ("use_rslora", "maybe", "wrong-type")],
)  # fmt: skip
def test_the_settings_of_peft_have_types_and_bounds(name, value, code):
    problem = only(use_peft=True, backend_args={"lora": {name: value}})
    assert (problem.code, problem.key) == (code, f"backend_args.lora.{name}")
    assert problems(use_peft=True, backend_args={"lora": {"lora_alpha": 16.5, "target_modules": ".*proj"}}) == []


LAYERS = "Its linear layers: down_proj, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj."


@pytest.mark.parametrize("named", [["nope"], ["q_proj", "nope"], ["q_proj", "rotary", "nope"]])
def test_a_layer_that_the_model_does_not_have(letters, tmp_path, named):
    with pytest.raises(JobError) as caught:
        build("sft", letters, ROWS, output_dir=str(tmp_path), use_peft=True, lora_target_modules=named)
    (problem,) = caught.value.problems
    assert (problem.code, problem.key) == ("unknown-layer", "lora_target_modules")
    missing = ", ".join(f"'{name}'" for name in named if name != "q_proj")
    assert problem.message == f"'lora_target_modules' names {missing}, which '{letters}' has no layer for."
    assert problem.fix.endswith(LAYERS)


def test_a_misspelt_layer_and_a_pattern_that_fits_none(letters, tmp_path):
    for named, start in (["q_porj"], "Did you mean 'q_proj'? "), (".*nope", ""):
        keys = {"output_dir": str(tmp_path), "use_peft": True, "backend_args": {"lora": {"target_modules": named}}}
        with pytest.raises(JobError) as caught:
            build("sft", letters, ROWS, **keys)
        (problem,) = caught.value.problems
        assert (problem.key, problem.fix) == ("backend_args.lora.target_modules", start + LAYERS)


def test_layers_that_are_there_by_any_of_their_names(letters, tmp_path):
    keys = {"output_dir": str(tmp_path), "use_peft": True}
    build(
        "sft",
        letters,
        ROWS,
        **keys,
        lora_target_modules=["q_proj", "layers.1.mlp.up_proj", "model.layers.0.mlp.up_proj"],
    )
    build("sft", letters, ROWS, **keys, backend_args={"lora": {"target_modules": ".*[qv]_proj"}})
    build("sft", letters, ROWS, **keys, lora_target_modules="all-linear")


def test_ppo_s_layers_are_looked_for_too(letters, tmp_path):
    keys = {"output_dir": str(tmp_path), "use_peft": True, "reward_functions": [share_of_a], "max_completion_length": 8}
    for named in (["nope"], ["q_proj", "nope"]):
        with pytest.raises(JobError, match=r"'nope'.*\. Its linear layers: down_proj, .*v_proj\."):
            build("ppo", letters, PROMPTS, **keys, lora_target_modules=named)


def test_what_the_trainer_refuses_is_a_problem_of_the_job(letters, tmp_path):
    odd = {"packing_strategy": "nope"}
    with pytest.raises(JobError) as caught:
        build("sft", letters, ROWS, output_dir=str(tmp_path), max_seq_length=8, packing=True, backend_args=odd)
    (problem,) = caught.value.problems
    assert (problem.code, problem.key) == ("engine-refused", "backend_args")
    assert problem.message.startswith("trl refuses the job's settings: ")
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_fault_of_other_code_passes(letters, tmp_path, monkeypatch):
    def faulty(*_args, **_kwargs):
        raise ValueError("not the engine's")

    monkeypatch.setattr("aligntune_trl.trainers.make._native", faulty)
    with pytest.raises(ValueError, match="not the engine's"):
        build("sft", letters, ROWS, output_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("keys", "told", "fix"),
    [
        ({"max_seq_length": 3}, "max_seq_length=3", "Raise max_seq_length."),
        ({"backend_args": {"max_length": 3}}, "backend_args.max_length=3", "Raise backend_args.max_length."),
        ({}, "the engine's default length of 1024 tokens", "Raise max_seq_length."),
    ],
)
def test_a_length_is_told_by_the_name_it_was_given(letters, tmp_path, keys, told, fix):
    with pytest.raises(DataError) as caught:
        build("sft", letters, [{"prompt": "ab" * 600, "completion": "a"}], output_dir=str(tmp_path), **keys)
    assert caught.value.message.endswith(f"have nothing left to learn from within {told}.")
    assert caught.value.fix == fix


def truncated(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def sharded(folder):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    index["weight_map"]["a"] = "model-1.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


BREAKS = {
    "holds no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "damaged: it is cut short": truncated,
    "model.safetensors is damaged: it is cut short": lambda folder: (folder / "model.safetensors").write_bytes(b""),
    "its header can't be read": lambda folder: (folder / "model.safetensors").write_bytes(b"\2" + b"\0" * 7 + b"[]"),
    "model-2.safetensors is missing": sharded,
    "its config.json is not valid JSON": lambda folder: (folder / "config.json").write_text("{oops"),
    "its config.json holds no settings": lambda folder: (folder / "config.json").write_text("[]"),
}


def scores(folder, labels=1):
    """Say of a model's folder that it holds a classifier."""
    file = folder / "config.json"
    told = {**json.loads(file.read_text()), "architectures": ["LlamaForSequenceClassification"]}
    told["id2label"] = {str(number): f"LABEL_{number}" for number in range(labels)}
    file.write_text(json.dumps(told))


def test_a_reward_model_that_gives_no_score_or_several(copied):
    problem = only("ppo", reward_model_name=str(copied))
    assert (problem.code, problem.key) == ("reward-model", "reward_model_name")
    assert "gives no scores: it is a LlamaForCausalLM" in problem.message
    scores(copied, labels=3)
    assert "has 3 labels" in only("ppo", reward_model_name=str(copied)).message
    scores(copied)
    assert problems("ppo", reward_model_name=str(copied)) == []


@pytest.mark.parametrize("key", ["model_name", "reward_model_name"])
@pytest.mark.parametrize("told", BREAKS)
def test_a_folder_that_can_t_be_loaded(copied, told, key):
    if key == "reward_model_name":
        scores(copied)
    assert problems("ppo", **{key: str(copied)}) == []
    BREAKS[told](copied)
    problem = only("ppo", **{key: str(copied)})
    assert (problem.code, problem.key, problem.fix) == ("model-broken", key, "Copy or download the folder again.")
    assert told in problem.message


def test_an_adapter_s_weights_are_measured(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"short")
    assert "adapter_model.safetensors is damaged" in only(model_name=str(tmp_path)).message


def no_tokenizer(folder):
    for file in folder.glob("*token*"):
        file.unlink()


@pytest.mark.parametrize(
    ("damage", "part", "fix"),
    [
        (no_tokenizer, "the tokenizer of", "Put the tokenizer's files"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "the tokenizer of", "Put the tokenizer's files"),
        (lambda folder: (folder / "config.json").write_text("{}"), "the model", "Check that its config.json has"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "zork"}'),
            "the model",
            "Install a release",
        ),
    ],
)
def test_what_transformers_finds_missing_is_told_whole_and_with_a_fix(copied, tmp_path, damage, part, fix):
    damage(copied)
    with pytest.raises(ModelError) as caught:
        build("sft", str(copied), ROWS, output_dir=str(tmp_path / "out"))
    assert caught.value.message.startswith(f"{part} '{copied}' can't be loaded: ")
    assert caught.value.message.endswith(".")
    assert caught.value.fix.startswith(fix)


def test_a_cause_is_a_whole_sentence(tmp_path):
    long = "word " * 100 + "end"
    for guard in (loading, loading_weights):
        with pytest.raises(ModelError, match=r"end\. [A-Z]") as caught, guard(str(tmp_path)):
            raise OSError(f"{long}. Another sentence.")
        assert caught.value.message.endswith("word end.")
        with pytest.raises(ModelError, match=r"first line second line\. Check"), guard("org/not-here"):
            raise OSError("first line\nsecond line")


def test_none_of_it_imports_an_engine(copied):
    code = f"""
import sys
from aligntune_core.job import Job
from aligntune_trl.plugin import aligntune_check_job
job = Job(algorithm="sft", model_name={str(copied)!r}, dataset_name="d", report_to=["zzz"],
          backend_args={{"optim": "x", "max_length": -1}})
assert len(list(aligntune_check_job(job))) == 3
print(*sorted({{"torch", "trl", "transformers", "peft", "safetensors", "numpy"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_a_layer_that_the_model_has_not_is_found_without_its_weights(letters):
    keys = {"algorithm": "sft", "model_name": letters, "dataset_name": FEW_ANSWERED, "use_peft": True}
    (problem,) = check(**keys, lora_target_modules=["q_prj"]).errors
    assert (problem.code, problem.key) == ("unknown-layer", "lora_target_modules")
    assert problem.fix.startswith("Did you mean 'q_proj'?")
    assert check(**keys, lora_target_modules=["q_proj", "up_proj"]).ok
    assert check(**keys, lora_target_modules=["all-linear"]).ok


def test_a_run_that_is_over_is_said_before_it_is_gone_on_with(letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 2, "save_steps": 2}
    trained(build("sft", letters, FEW_ANSWERED, **job))
    keys = {"algorithm": "sft", "model_name": letters, "dataset_name": FEW_ANSWERED, "resume": True, **job}
    (problem,) = check(level="fast", **keys).warnings
    assert (problem.code, problem.key) == ("nothing-left", "resume")
    assert check(level="fast", **{**keys, "max_steps": 3}).problems == ()
