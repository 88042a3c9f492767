"""An algorithm is a row of the recipes: no other module tells algorithms apart by name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import aligntune_trl
from aligntune_core import Job
from aligntune_trl.checks.job import job_problems
from aligntune_trl.tokens.encoding import make_encoding, row_encoder
from aligntune_trl.translation.arguments import config_arguments, lora_arguments
from aligntune_trl.translation.fields import config_fields
from aligntune_trl.translation.plan import plan_job
from aligntune_trl.translation.recipes import RECIPES, SCORING, WRITING

PACKAGE = Path(aligntune_trl.__file__).parent
NAMES = {*RECIPES, SCORING, WRITING, *(recipe.config for recipe in RECIPES.values())}
NAMES |= {recipe.trainer for recipe in RECIPES.values()}
"""What would tell one algorithm from another."""


def told_apart(source: str | bytes) -> set[str]:
    """The names that a module's source compares something with, or asks a match statement for."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Compare | ast.MatchValue)]
    texts = {each.value for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return texts & NAMES


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_but_the_recipes_compares_the_name_of_an_algorithm(path):
    assert path.name == "recipes.py" or not told_apart(path.read_bytes())


@pytest.mark.parametrize(
    "source",
    [
        "job.algorithm == 'ppo'",
        "x = 2 if recipe.config != 'PPOConfig' else 1",
        "name in {'kto', 'dpo'}",
        "'sft' == name",
        "match name:\n case 'reward':\n  pass",
    ],
)
def test_a_comparison_would_be_seen(source):
    assert told_apart(source)


@pytest.mark.parametrize("algorithm", RECIPES)
def test_the_configuration_class_of_a_recipe_is_found_by_its_name(algorithm):
    assert "output_dir" in config_fields(RECIPES[algorithm].config)


class Tokenizer:
    """As much of a tokenizer as deciding how rows become tokens takes."""

    chat_template = None
    eos_token_id = pad_token_id = 0

    def decode(self, ids, **options):
        return ""


class Config:
    """As much of a model's configuration."""

    model_type = "llama"

    def get_text_config(self):
        return self


def said(job, algorithm):
    """What the checks say of a job, as if its algorithm went by another name."""
    found = [str(problem) for problem in job_problems(job)]
    return [text.replace("'new'", f"'{algorithm}'").replace("NEW", algorithm.upper()) for text in found]


@pytest.mark.parametrize("algorithm", list(RECIPES))
def test_another_name_for_a_recipe_trains_the_same_way(algorithm, monkeypatch, tmp_path):
    """What a backend works out of a job follows from its recipe, and so holds for a new row too."""
    monkeypatch.setitem(RECIPES, "new", RECIPES[algorithm])
    (tmp_path / "config.json").write_text("{}")
    old, new = (
        Job(
            algorithm=name,
            model_name="org/m",
            dataset_name="org/d",
            reward_model_name=str(tmp_path),
            output_dir=str(tmp_path / "out"),
            batch_size=1,
        )
        for name in (algorithm, "new")
    )
    recipe = RECIPES[algorithm]
    assert config_arguments(new, recipe) == config_arguments(old, recipe)
    assert lora_arguments(new, recipe) == lora_arguments(old, recipe)
    assert plan_job(new, 100) == plan_job(old, 100)
    assert said(new, algorithm) == said(old, algorithm)
    ways = [make_encoding(job, recipe, Config(), row_encoder(job, recipe, Tokenizer())) for job in (new, old)]
    decided = [(way.encode.__self__.encoder, way.leaves_out, way.needs_room, way.pads_by_id) for way in ways]
    assert decided[0] == decided[1]
