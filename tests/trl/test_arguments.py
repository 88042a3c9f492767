"""Every key of a job reaches TRL or is refused; none is dropped."""

from __future__ import annotations

import dataclasses
from importlib.metadata import PackageNotFoundError

import pytest

from aligntune_core.algorithms import find_algorithm
from aligntune_core.backends.features import required_features
from aligntune_core.backends.registry import registry
from aligntune_core.check.considered import Considered
from aligntune_core.check.rules import CORE_KEYS, RULES
from aligntune_core.job import Job
from aligntune_trl.capabilities import JOB_KEYS
from aligntune_trl.checks import job as checks
from aligntune_trl.translation import arguments as translation
from aligntune_trl.translation.arguments import COMMON_KEYS, LORA_KEYS, config_arguments, lora_arguments, taken_names
from aligntune_trl.translation.fields import config_fields
from aligntune_trl.translation.recipes import RECIPES

BASE = {"model_name": "org/model", "dataset_name": "org/data", "output_dir": "out"}

SAMPLES = {
    "max_seq_length": 77, "packing": True, "num_epochs": 2.5, "max_steps": 7, "batch_size": 3,
    "gradient_accumulation_steps": 5, "learning_rate": 3e-4, "lr_scheduler": "cosine", "warmup_steps": 11,
    "warmup_ratio": 0.1, "weight_decay": 0.02, "max_grad_norm": 0.7, "seed": 13, "precision": "bf16",
    "gradient_checkpointing": True, "lora_r": 4, "lora_alpha": 9, "lora_dropout": 0.2,
    "lora_target_modules": ["q_proj"], "beta": 0.3, "num_generations": 6, "max_completion_length": 17,
    "temperature": 0.8, "output_dir": "elsewhere", "logging_steps": 19, "save_steps": 23, "save_total_limit": 2,
    "eval_steps": 29, "report_to": ["tensorboard"], "trust_remote_code": True, "backend_args": {"bf16_full_eval": True},
}  # fmt: skip
"""A value for each key that goes into the engine's configuration or peft's."""

ELSEWHERE = {
    "algorithm": "names the recipe",
    "backend": "chose this backend",
    "model_name": "is loaded by models.py",
    "use_peft": "decides whether lora_arguments are asked for",
    "load_in_4bit": "becomes the model's quantisation in build.py",
    "dataset_name": "is loaded by the core",
    "dataset_split": "is loaded by the core",
    "eval_dataset_name": "is loaded by the core",
    "eval_dataset_split": "is loaded by the core",
    "column_mapping": "is applied by the core",
    "data_limits": "are kept by the core",
    "max_samples": "is applied by the core",
    "reward_model_name": "is loaded by the PPO trainer",
    "reward_functions": "are resolved by the core and handed to the trainer",
    "resume": "is resolved by checkpoints.py and handed to train()",
    "isolation": "decides in the core where the job runs",
}
"""Where every other key goes."""

NAMED = {name: recipe for name, recipe in RECIPES.items() if recipe.config}


def make(algorithm="sft", **keys):
    return Job(**{"algorithm": algorithm, **BASE, **keys})


def test_every_key_has_a_place():
    assert not set(SAMPLES) & set(ELSEWHERE)
    assert {*SAMPLES, *ELSEWHERE} == set(Job.model_fields)


@pytest.mark.parametrize("key", SAMPLES)
@pytest.mark.parametrize("algorithm", NAMED)
def test_no_key_is_dropped(algorithm, key):
    recipe = RECIPES[algorithm]
    around = {"use_peft": True, "eval_dataset_name": "org/eval"}
    job, bare = make(algorithm, **around, **{key: SAMPLES[key]}), make(algorithm, **around)
    reached = (config_arguments(job, recipe), lora_arguments(job, recipe)) != (
        config_arguments(bare, recipe),
        lora_arguments(bare, recipe),
    )
    features = tuple(required_features(job, "cuda"))
    considered = Considered(job, "trl", find_algorithm(algorithm), "cuda", features, registry())
    found = [*(problem for rule in RULES for problem in rule(considered)), *checks.job_problems(job)]
    refused = {problem.key for problem in found if problem.code == "no-effect"}
    if key == "trust_remote_code" and algorithm == "ppo":
        return  # only whoever loads a model asks for it
    assert reached or key in refused, f"'{key}' of '{algorithm}' is neither used nor refused"
    assert not (reached and key in refused), f"'{key}' of '{algorithm}' is used and refused"


@pytest.mark.parametrize(("key", "name"), COMMON_KEYS.items())
def test_the_value_arrives_as_it_was_given(key, name):
    assert config_arguments(make(**{key: SAMPLES[key]}), RECIPES["sft"])[name] == SAMPLES[key]


@pytest.mark.parametrize(("key", "name"), LORA_KEYS.items())
def test_the_adapters_value_arrives_as_it_was_given(key, name):
    assert lora_arguments(make(use_peft=True, **{key: SAMPLES[key]}), RECIPES["sft"])[name] == SAMPLES[key]


@pytest.mark.parametrize("algorithm", NAMED)
def test_every_argument_is_one_that_the_engine_has(algorithm):
    recipe = RECIPES[algorithm]
    keys = {key: value for key, value in SAMPLES.items() if key != "warmup_steps"}
    known = config_fields(recipe.config)
    assert len(known) > 100
    assert set(config_arguments(make(algorithm, **keys), recipe)) <= known
    assert set(config_arguments(make(algorithm, warmup_steps=5), recipe)) <= known
    assert set(taken_names(make(algorithm, **keys), recipe)) - {"warmup_ratio", "trust_remote_code"} <= known
    assert set(lora_arguments(make(**keys), recipe)) <= config_fields("LoraConfig")


@pytest.mark.parametrize("algorithm", NAMED)
def test_what_was_left_alone_is_left_to_the_engine(algorithm):
    recipe = RECIPES[algorithm]
    decided = {"output_dir", "report_to", "disable_tqdm", *recipe.settings}
    if recipe.is_grouped:
        decided |= {"per_device_train_batch_size", "per_device_eval_batch_size", "steps_per_generation"}
    assert set(config_arguments(make(algorithm), recipe)) == decided
    assert set(lora_arguments(make(algorithm), recipe)) - {"modules_to_save"} == {"task_type"}
    assert ("modules_to_save" in lora_arguments(make(algorithm), recipe)) is bool(recipe.new_layers)


def test_no_tracker_and_no_bar_unless_asked_for():
    assert config_arguments(make(), RECIPES["sft"])["report_to"] == "none"
    assert config_arguments(make(report_to=[]), RECIPES["sft"])["report_to"] == "none"
    assert config_arguments(make(report_to="wandb"), RECIPES["sft"])["report_to"] == ["wandb"]
    assert config_arguments(make(), RECIPES["sft"])["disable_tqdm"] is True


def test_evaluation_takes_as_many_examples_as_training():
    assert config_arguments(make(batch_size=2), RECIPES["sft"])["per_device_eval_batch_size"] == 2
    own = make(batch_size=2, backend_args={"per_device_eval_batch_size": 9})
    assert config_arguments(own, RECIPES["sft"])["per_device_eval_batch_size"] == 9


@pytest.mark.parametrize(
    ("precision", "bf16", "fp16"), [("bf16", True, False), ("fp16", False, True), ("fp32", False, False)]
)
def test_precision_switches_both_of_the_engine_s_flags(precision, bf16, fp16):
    arguments = config_arguments(make(precision=precision), RECIPES["sft"])
    assert (arguments["bf16"], arguments["fp16"]) == (bf16, fp16)


def test_steps_of_saving_and_evaluating_switch_them_on():
    arguments = config_arguments(make(save_steps=5, eval_steps=6), RECIPES["sft"])
    assert (arguments["save_strategy"], arguments["save_steps"]) == ("steps", 5)
    assert (arguments["eval_strategy"], arguments["eval_steps"]) == ("steps", 6)


@pytest.mark.parametrize(
    ("release", "name"),
    [("4.57.0", "warmup_ratio"), ("5.0.0", "warmup_steps"), ("5.23.0", "warmup_steps"), (None, "warmup_steps")],
)
@pytest.mark.parametrize("ratio", [0.1, 0])
def test_a_share_of_warmup_goes_where_this_transformers_has_it(monkeypatch, release, name, ratio):
    def version(package):
        assert package == "transformers"
        if release is None:
            raise PackageNotFoundError(package)
        return release

    monkeypatch.setattr(translation, "version", version)
    arguments = config_arguments(make(warmup_ratio=ratio), RECIPES["sft"])
    assert arguments[name] == ratio
    assert len({"warmup_ratio", "warmup_steps"} & set(arguments)) == 1


def test_the_user_s_own_arguments_win_over_the_recipe_s():
    assert config_arguments(make("dpo", backend_args={"loss_type": ["ipo"]}), RECIPES["dpo"])["loss_type"] == ["ipo"]
    assert config_arguments(make("dpo"), RECIPES["dpo"])["loss_type"] == ["sigmoid"]
    assert config_arguments(make("dpo", beta=0), RECIPES["dpo"])["beta"] == 0


def test_every_job_key_is_translated_or_ruled_by_the_core():
    assert frozenset(Job.model_fields) == CORE_KEYS | JOB_KEYS
    assert not CORE_KEYS & JOB_KEYS


def test_the_settings_of_peft_are_not_the_trainer_s():
    job = make(use_peft=True, lora_r=4, backend_args={"lora": {"use_rslora": True}, "max_length": 5})
    assert "lora" not in config_arguments(job, RECIPES["sft"])
    assert lora_arguments(job, RECIPES["sft"])["use_rslora"] is True
    assert lora_arguments(job, RECIPES["sft"])["r"] == 4


@pytest.mark.parametrize(
    ("named", "given"), [(None, None), ("all-linear", "all-linear"), (["q", "v"], ["q", "v"]), ("q", ["q"])]
)
def test_all_linear_layers_are_a_word_and_not_a_layer(named, given):
    assert lora_arguments(make(use_peft=True, lora_target_modules=named), RECIPES["sft"]).get("target_modules") == given


@pytest.mark.parametrize("algorithm", [name for name, recipe in NAMED.items() if recipe.is_grouped])
@pytest.mark.parametrize(("batch_size", "accumulation"), [(None, None), (1, 1), (2, 3)])
def test_a_batch_of_prompts_is_a_batch_of_groups(algorithm, batch_size, accumulation):
    recipe = RECIPES[algorithm]
    job = make(algorithm, batch_size=batch_size, gradient_accumulation_steps=accumulation, num_generations=6)
    arguments = config_arguments(job, recipe)
    assert arguments["per_device_train_batch_size"] == (batch_size or 1) * 6
    assert arguments["per_device_eval_batch_size"] == (batch_size or 1) * 6
    assert arguments["steps_per_generation"] == recipe.minibatches * (accumulation or 1)


def test_the_names_that_a_job_took_are_told_with_its_keys():
    job = make(learning_rate=1e-4, warmup_ratio=0.1, precision="bf16", eval_steps=1, save_steps=1, report_to="wandb")
    assert taken_names(job, RECIPES["sft"]) == {
        "learning_rate": "learning_rate",
        "warmup_steps": "warmup_ratio",
        "warmup_ratio": "warmup_ratio",
        "bf16": "precision",
        "fp16": "precision",
        "eval_strategy": "eval_steps",
        "eval_steps": "eval_steps",
        "save_strategy": "save_steps",
        "save_steps": "save_steps",
        "report_to": "report_to",
    }
    assert taken_names(make(), RECIPES["sft"]) == {}


CONFIGS = sorted({recipe.config for recipe in NAMED.values()})


@pytest.mark.parametrize("config", [*CONFIGS, "LoraConfig"])
def test_the_fields_read_from_source_are_the_real_ones(config):
    import peft
    import trl

    from aligntune_trl.ppo.config import PPOConfig

    real = {"LoraConfig": peft.LoraConfig, "PPOConfig": PPOConfig}.get(config) or getattr(trl, config)
    assert config_fields(config) == {field.name for field in dataclasses.fields(real) if field.init}


def test_fields_of_what_is_not_there_are_unknown(monkeypatch):
    monkeypatch.setattr("aligntune_trl.translation.fields.find_spec", lambda _name: None)
    assert config_fields.__wrapped__("SFTConfig") == frozenset()
