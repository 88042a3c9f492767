"""The tokens that `check` looks at, held against those that TRL trains on."""

import shutil

import pytest
from trl_runs import build

from aligntune import check
from aligntune_core import Job, JobError
from aligntune_core.data.prepare import prepare_job
from aligntune_core.events import ignore
from aligntune_core.models.tiny import materialise
from aligntune_trl.tokens.encoding import encoding_of
from aligntune_trl.translation.recipes import RECIPES

TEXTS = [{"prompt": "What is 3 plus 4? ", "completion": "7"}, {"prompt": "Say yes. ", "completion": "Yes, of course."}]
CHATS = [
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": row["completion"]},
        ]
    }
    for row in TEXTS
]
TALKS = [
    {"messages": [*chat["messages"], {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}
    for chat in CHATS
]
# a prompt whose end merges with the answer's start is cut otherwise by older engines
PAIRS = [{"prompt": row["prompt"].strip() + "\n", "chosen": row["completion"], "rejected": "no"} for row in TEXTS]
CHAT_PAIRS = [
    {
        "prompt": chat["messages"][:2],
        "chosen": chat["messages"][2:],
        "rejected": [{"role": "assistant", "content": "no"}],
    }
    for chat in CHATS
]
LABELLED = [{**row, "label": n == 0} for n, row in enumerate(TEXTS)]
CASES = {
    "sft conversations": ("sft", TALKS),
    "dpo texts": ("dpo", PAIRS),
    "dpo chats": ("dpo", CHAT_PAIRS),
    "dpo built in": ("dpo", "builtin:preferences"),
    "kto": ("kto", LABELLED),
    "reward texts": ("reward", PAIRS),
    "reward chats": ("reward", CHAT_PAIRS),
}


def native_sequences(row):
    """What TRL made of a row: for each sequence its tokens, and those that it learns from."""
    if "chosen_ids" in row and "prompt_ids" not in row:
        return [(row[name], row[name]) for name in ("chosen_ids", "rejected_ids")]
    if "chosen_ids" in row:
        return [(row["prompt_ids"] + row[name], row[name]) for name in ("chosen_ids", "rejected_ids")]
    if "completion_ids" in row:
        return [(row["prompt_ids"] + row["completion_ids"], row["completion_ids"])]
    ids = row["input_ids"]
    if "labels" in row:
        return [(ids, [token for token, label in zip(ids, row["labels"], strict=True) if label != -100])]
    masks = [row[name] for name in ("completion_mask", "assistant_masks") if row.get(name) is not None]
    return [(ids, [token for token, *bits in zip(ids, *masks, strict=True) if all(bits)])]


HANDED_OVER = {
    "texts": TEXTS,
    "chats": CHATS,
    "plain text": [{"text": "Once upon a time."}, {"text": "The end."}],
    "instructions": "builtin:instructions",
}
"""Rows that the engine gets as tokens: held against what it makes of them itself."""


@pytest.mark.parametrize("arguments", [{}, {"completion_only_loss": False}], ids=["answers", "all"])
@pytest.mark.parametrize("case", HANDED_OVER)
def test_the_tokens_that_are_handed_over_are_the_engine_s_own(case, arguments, tmp_path):
    import trl

    keys = {"model_name": "builtin:tiny", "dataset_name": HANDED_OVER[case], "output_dir": str(tmp_path)}
    job = Job(algorithm="sft", backend="trl", backend_args=arguments, **keys)
    rows = prepare_job(job, RECIPES["sft"].kind, ignore)[0].rows
    config = trl.SFTConfig(output_dir=str(tmp_path), max_length=None, bf16=False, report_to="none", **arguments)
    by_hand = trl.SFTTrainer(str(materialise()), args=config, train_dataset=rows).train_dataset
    through = build("sft", backend_args=arguments, **keys).trainer.native.train_dataset
    found = [native_sequences(row) for row in through]
    assert found == [native_sequences(row) for row in by_hand]
    assert found == [
        [(list(each.ids), [token for token, learned in zip(each.ids, each.learned, strict=True) if learned])]
        for row in rows
        for each in encoding_of(job, ignore).encode(row)
    ]


def _beginning(folder, *, in_turns):
    """A model whose tokenizer begins texts with a token, and whose template may write the same one."""
    from tokenizers import processors
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(shutil.copytree(materialise(), folder))
    begin, place = "<|im_start|>", tokenizer.convert_tokens_to_ids("<|im_start|>")
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, place)]
    )
    tokenizer.bos_token = begin
    if in_turns:
        tokenizer.chat_template = "{{ bos_token }}" + tokenizer.chat_template
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("case", ["texts", "chats", "plain text"])
@pytest.mark.parametrize("in_turns", [False, True], ids=["texts begin", "turns begin too"])
def test_what_a_tokenizer_puts_first_stands_there_as_often_as_the_engine_writes_it(in_turns, case, tmp_path):
    model = _beginning(tmp_path / "model", in_turns=in_turns)
    assert handed_over(model, HANDED_OVER[case], tmp_path) == by_the_engine(model, HANDED_OVER[case], tmp_path)


SETTINGS = {
    "packed": {"packing": True, "max_length": 24},
    "wrapped": {"packing": True, "packing_strategy": "wrapped", "max_length": 24},
    "start cut": {"truncation_mode": "keep_end", "max_length": 6},
    "end cut": {"max_length": 8},
    "shuffled": {"shuffle_dataset": True},
    "several processes": {"dataset_num_proc": 2},
    "another end": {"eos_token": "<|im_start|>"},
    "no padding": {"padding_free": True, "max_length": None},
}


@pytest.mark.filterwarnings("ignore:The `'keep_end'` truncation mode:FutureWarning")
@pytest.mark.parametrize("case", SETTINGS)
def test_what_is_made_of_the_tokens_is_the_engine_s_own(case, tmp_path):
    rows = TEXTS * 3 + [
        {"prompt": "Say", "completion": "ing \N{GRINNING FACE}"},
        {"prompt": "a\n", "completion": "\nb"},
    ]
    found = [each(str(materialise()), rows, tmp_path, **SETTINGS[case]) for each in (handed_over, by_the_engine)]
    assert found[0][0]
    assert found[0] == found[1]


def handed_over(model, dataset, folder, **arguments):
    """The rows that a trainer made through AlignTune trains on, and its first batches' labels."""
    keys = {"output_dir": str(folder / "through"), "backend_args": arguments, "batch_size": 2}
    return trained_on(build("sft", model, dataset, **keys).trainer.native)


def by_the_engine(model, dataset, folder, **arguments):
    """The same of a trainer that is made by hand."""
    import trl

    job = Job(algorithm="sft", backend="trl", model_name=model, dataset_name=dataset)
    rows = prepare_job(job, RECIPES["sft"].kind, ignore)[0].rows
    arguments = {"per_device_train_batch_size": 2, "seed": 0, "bf16": False, "report_to": "none", **arguments}
    return trained_on(
        trl.SFTTrainer(model, args=trl.SFTConfig(output_dir=str(folder), **arguments), train_dataset=rows)
    )


def trained_on(native):
    rows = [(row["input_ids"], row["labels"]) for row in native.train_dataset]
    return rows, [batch["labels"].tolist() for batch in native.get_train_dataloader()]


def _own_turns(folder):
    """A model of its own turns, each of which begins with a token that no other model has."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(materialise())
    tokenizer.add_special_tokens({"additional_special_tokens": ["<<turn>>"]})
    tokenizer.chat_template = (
        "{% for turn in messages %}<<turn>>{{ turn['role'] }}: {{ turn['content'] + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}<<turn>>assistant: {% endif %}"
    )
    tokenizer.eos_token = "<|endoftext|>"
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_rows_are_written_as_the_model_does_whose_chat_template_is_named(tmp_path):
    import trl

    keys = {"model_name": "builtin:tiny", "dataset_name": CHATS, "output_dir": str(tmp_path / "out")}
    arguments = {"chat_template_path": _own_turns(tmp_path / "own")}
    job = Job(algorithm="sft", backend="trl", backend_args=arguments, **keys)
    rows = prepare_job(job, RECIPES["sft"].kind, ignore)[0].rows
    config = trl.SFTConfig(output_dir=str(tmp_path), bf16=False, report_to="none", **arguments)
    by_hand = trl.SFTTrainer(str(materialise()), args=config, train_dataset=rows)
    through = build("sft", backend_args=arguments, use_peft=True, **keys).trainer.native
    found = [native_sequences(row) for row in through.train_dataset]
    assert found == [native_sequences(row) for row in by_hand.train_dataset]
    assert through.processing_class.decode(found[0][0][0]).startswith("<<turn>>system: Be brief.")
    assert through.model.get_input_embeddings().weight.shape == by_hand.model.get_input_embeddings().weight.shape
    # the token that is new to the model is trained
    new = through.processing_class.convert_tokens_to_ids("<<turn>>")
    assert new in through.model.peft_config["default"].trainable_token_indices["embed_tokens"]
    verdict = check(algorithm="sft", backend="trl", level="data", backend_args=arguments, **keys)
    assert verdict.ok
    assert not verdict.problems


@pytest.mark.parametrize(("lacks", "what"), [("chat_template", "chat template"), ("eos_token", "end-of-text token")])
def test_a_model_without_a_chat_template_lends_none(lacks, what, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(materialise())
    setattr(tokenizer, lacks, None)
    tokenizer.save_pretrained(tmp_path / "own")
    arguments = {"chat_template_path": str(tmp_path / "own")}
    keys = {"model_name": "builtin:tiny", "dataset_name": CHATS, "backend_args": arguments}
    verdict = check(algorithm="sft", backend="trl", level="data", **keys)
    assert [problem.key for problem in verdict.errors] == ["backend_args.chat_template_path"]
    with pytest.raises(JobError, match=f"whose tokenizer has no {what}"):
        build("sft", output_dir=str(tmp_path / "out"), **keys)


@pytest.mark.parametrize("case", CASES)
def test_the_tokens_are_those_that_are_trained_on(case, tmp_path):
    algorithm, dataset = CASES[case]
    keys = {"model_name": "builtin:tiny", "dataset_name": dataset, "output_dir": str(tmp_path), "batch_size": 2}
    job = Job(algorithm=algorithm, backend="trl", **keys)
    run = build(algorithm, **keys)
    encoding = encoding_of(job, ignore)
    rows = prepare_job(job, RECIPES[algorithm].kind, ignore)[0].rows
    ours = [
        [
            (list(each.ids), [token for token, learned in zip(each.ids, each.learned, strict=True) if learned])
            for each in encoding.encode(row)
        ]
        for row in rows
    ]
    native = run.trainer.native.train_dataset
    assert ours == [native_sequences(native[index]) for index in range(len(native))]


def test_the_prompts_are_those_that_are_answered(letters, tmp_path):
    from trl_runs import FEW, build_online

    run = build_online("grpo", letters, dataset_name=FEW, output_dir=str(tmp_path), batch_size=2)
    job = Job(
        algorithm="grpo", backend="trl", model_name=letters, dataset_name=FEW, max_completion_length=8, batch_size=2
    )
    encoding = encoding_of(job, ignore)
    native = run.trainer.native
    prompts = [row["prompt"] for row in FEW[:4]]
    expected = native._tokenize_prompts(prompts)[0] if hasattr(native, "_tokenize_prompts") else None
    if expected is None:
        pytest.skip("this TRL has no step of its own that tokenises prompts")
    assert [list(encoding.encode({"prompt": prompt})[0].ids) for prompt in prompts] == [list(ids) for ids in expected]
    assert encoding.max_completion_length == native.args.max_completion_length
