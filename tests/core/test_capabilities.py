"""What a backend declares is checked where it is declared."""

from __future__ import annotations

import dataclasses

import pytest

from aligntune_core import BackendInfo, Capability, Feature, ImportOrder, Job, Support
from aligntune_core.backends.features import FEATURES
from aligntune_core.backends.queries import capabilities, supports
from aligntune_core.job_keys import JOB_KEYS


@pytest.mark.parametrize("support", ["experimental", "unsupported"])
def test_what_is_not_full_says_why(support):
    with pytest.raises(ValueError, match=f"'dpo' is {support} and has no note"):
        Capability("dpo", support)
    assert Capability("dpo", support, note="not yet").support is Support(support)


def test_a_full_row_needs_no_note():
    assert Capability("dpo").note == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"support": "mostly"}, "mostly"),
        ({"features": ["LoRA"]}, "a feature is called 'LoRA', but names are spelt like 'lora'"),
        ({"features": ["a,b"]}, "a feature is called 'a,b'"),
        ({"features": [""]}, "a feature is called ''"),
        ({"features": [3]}, "a feature is called 3"),
        ({"algorithm": "Dr-GRPO"}, "dr_grpo"),
    ],
)
def test_a_misspelt_row_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        Capability(**{"algorithm": "dpo", **change})


def test_features_may_be_given_as_text():
    assert Capability("dpo", features=["lora", "cpu"]).features == frozenset({Feature.LORA, Feature.CPU})


@pytest.mark.parametrize(
    "change",
    [
        {"requirements": "torch>=2"},
        {"requirements": [3]},
        {"conflicts": "trl"},
        {"capabilities": Capability},
        {"capabilities": ["sft"]},
        {"capabilities": "sft"},
        {"import_order": [("a", "b")]},
    ],
)
def test_a_text_where_a_tuple_belongs_is_refused(change):
    with pytest.raises(TypeError):
        BackendInfo(**{"name": "mine", "summary": "", "contract": 1, "capabilities": (), **change})


def test_an_import_order_names_modules():
    with pytest.raises(TypeError, match=r"ImportOrder\.before is 'trl'"):
        ImportOrder("unsloth", before="trl")


def test_lists_become_tuples():
    info = BackendInfo("mine", "", 1, [Capability("sft")], requirements=["torch"])
    assert (info.capabilities, info.requirements) == ((Capability("sft"),), ("torch",))


def test_a_missing_row_is_unsupported_and_says_so():
    row = BackendInfo("mine", "", 1, ()).capability("dpo")
    assert (row.support, row.note) == (Support.UNSUPPORTED, "not declared")


def test_what_was_declared_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Capability("sft").note = "other"


def test_every_feature_has_a_row_and_messages_name_them_in_their_order():
    assert list(FEATURES) == list(Feature)
    assert {row.key for row in FEATURES.values()} - {""} <= set(Job.model_fields)


def test_the_matrix_has_a_cell_for_every_backend_and_algorithm(backends, fake):
    known = backends("acme", fake("bolt", Capability("dpo", "experimental", ["cpu"], "slow")))
    rows = capabilities(backends=known)
    cells = {(row.backend, row.algorithm): row for row in rows}
    assert len(cells) == len(rows)
    assert {backend for backend, _ in cells} == {"acme", "bolt"}
    assert {algorithm for _, algorithm in cells} >= {"sft", "dpo", "ppo", "grpo", "gspo", "dapo", "dr_grpo", "reward"}
    assert cells["bolt", "dpo"].to_dict() == {
        "backend": "bolt",
        "algorithm": "dpo",
        "task": "preference",
        "support": "experimental",
        "features": ["cpu"],
        "note": "slow",
    }
    assert cells["bolt", "sft"].support is Support.UNSUPPORTED


def test_rows_can_be_asked_for_by_backend_and_algorithm(backends):
    known = backends("acme", "Bolt")
    assert {row.backend for row in capabilities(backend="BOLT", backends=known)} == {"Bolt"}
    assert {row.algorithm for row in capabilities(algorithm="Dr. GRPO", backends=known)} == {"dr_grpo"}
    assert len(capabilities(backend="acme", algorithm="sft", backends=known)) == 1


@pytest.mark.parametrize(
    ("asked", "yes", "said"),
    [
        (("acme", "sft"), True, ""),
        (("ACME", "SFT", "lora", "cpu"), True, ""),
        (("acme", "ppo"), False, "does not train 'ppo': not declared."),
        (("acme", "sft", "multi_gpu"), False, "does not train 'sft' on several GPUs."),
        (("acm", "sft"), False, "there is no backend 'acm'. Did you mean 'acme'?"),
        (("acme", "stf"), False, "there is no algorithm 'stf'. Did you mean 'sft'?"),
        (("acme", "sft", "loar"), False, "there is no feature 'loar'. Did you mean 'lora'?"),
        (("trl", "sft"), False, "is not installed"),
        ((3, None), False, "there is no backend '3'"),
        (("acme", None), False, "there is no algorithm 'None'"),
        (("acme", "sft", 3), False, "there is no feature '3'"),
    ],
)
def test_a_question_is_answered_with_the_reason(backends, asked, yes, said):
    answer = supports(*asked, backends=backends("acme"))
    assert (bool(answer), answer.yes) == (yes, yes)
    assert said in answer.reason


def test_the_names_of_job_keys_are_those_of_a_job():
    assert frozenset(Job.model_fields) == JOB_KEYS


def test_one_text_is_no_set_of_job_keys():
    with pytest.raises(TypeError, match=r"BackendInfo\.job_keys is 'seed', not a set of names"):
        BackendInfo("acme", "", 1, (), job_keys="seed")
