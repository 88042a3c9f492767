"""Rows become tokens once, many at a time: for the check, for a launch and for the engine, and anew when it matters."""

import json
import shutil
import tracemalloc

import pytest
from trl_runs import FEW, build, share_of_a

from aligntune import check
from aligntune_core import DataError, Encoded, Encoding, Job, Notice
from aligntune_core.check.tokens import examine_rows
from aligntune_core.data.prepare import prepare_job
from aligntune_core.data.row_code import row_code
from aligntune_core.events import ignore
from aligntune_core.kit.tokens import ids
from aligntune_core.models.tiny import materialise
from aligntune_trl.tokens.encoding import encoding_of
from aligntune_trl.translation.recipes import RECIPES

ASKED, SAID = {"role": "user", "content": "What is 2 plus 2?"}, {"role": "assistant", "content": "4"}
TOOL = {"type": "function", "function": {"name": "add_two", "description": "Adds.", "parameters": {}}}


@pytest.fixture
def tokenised(monkeypatch):
    """How many texts and conversations were made into tokens."""
    counted = []
    original = ids.ids_of

    def counting(tokenizer, contents, *rest, **more):
        counted.extend(contents)
        return original(tokenizer, contents, *rest, **more)

    for module in ("encoders", "conversations"):
        monkeypatch.setattr(f"aligntune_core.kit.tokens.{module}.ids_of", counting)
    return counted


def written(folder, rows):
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def job_of(algorithm, file, **keys):
    return Job(algorithm=algorithm, backend="trl", **{"model_name": "builtin:tiny", "dataset_name": file, **keys})


@pytest.mark.parametrize(
    ("algorithm", "rows"),
    [
        ("sft", [{"text": f"Once {'more ' * n}"} for n in range(300)]),
        ("sft", [{"prompt": f"Say {n}: ", "completion": str(n)} for n in range(300)]),
        ("sft", [{"messages": [ASKED, SAID] * (1 + n % 3)} for n in range(300)]),
        ("dpo", [{"prompt": f"Say {n}: ", "chosen": str(n), "rejected": "no"} for n in range(300)]),
        ("kto", [{"prompt": [ASKED], "completion": [SAID], "label": n % 2 == 0} for n in range(300)]),
        (
            "reward",
            [{"prompt": [ASKED], "chosen": [SAID], "rejected": [{**SAID, "content": str(n)}]} for n in range(5, 305)],
        ),
        ("grpo", [{"prompt": str(n)} for n in range(300)]),
    ],
    ids=["text", "completions", "conversations", "pairs", "labelled", "judged", "prompts"],
)
def test_many_rows_become_what_each_of_them_does(algorithm, rows, tmp_path):
    job = job_of(algorithm, written(tmp_path, rows), reward_functions=[share_of_a] if algorithm == "grpo" else None)
    canonical = prepare_job(job, RECIPES[algorithm].kind, ignore)[0].rows
    encoding = encoding_of(job, ignore)
    together = [list(row) for row in encoding.encode_rows(canonical, None)]
    again = [list(row) for row in encoding.encode_rows(canonical, None)]
    one_by_one = [list(encoding.encode(row)) for row in canonical]
    assert together == again == one_by_one
    assert len(list(encoding.encode_rows(canonical, 3))) in {3, len(rows)}


def test_a_launch_after_a_check_makes_no_tokens(tmp_path, tokenised):
    file = written(tmp_path, [{"prompt": f"Say {n}: ", "completion": str(n)} for n in range(40)])
    keys = {"model_name": "builtin:tiny", "dataset_name": file, "output_dir": str(tmp_path / "out")}
    assert check(algorithm="sft", backend="trl", level="data", **keys).ok
    assert len(tokenised) == 80
    native = build("sft", **keys).trainer.native
    assert len(tokenised) == 80
    assert native.train_dataset.column_names == ["input_ids", "labels"]


def test_what_the_engine_made_of_the_rows_is_made_anew_where_it_was_cut_off(tmp_path, monkeypatch):
    monkeypatch.setenv("ALIGNTUNE_CACHE", str(tmp_path / "cache"))
    file = written(tmp_path, [{"prompt": f"Say {n}: ", "completion": str(n)} for n in range(40)])
    keys = {"model_name": "builtin:tiny", "dataset_name": file, "output_dir": str(tmp_path / "out")}
    before = [*build("sft", **keys).trainer.native.train_dataset]
    made = [*(tmp_path / "cache").rglob("cache-*.arrow")]
    assert made
    for each in made:
        half = each.read_bytes()[: each.stat().st_size // 2]
        each.unlink()  # it is mapped by the first trainer
        each.write_bytes(half)
    assert [*build("sft", **keys).trainer.native.train_dataset] == before


@pytest.mark.parametrize("change", ["template", "tokenizer", "setting", "code", "the kit's code"])
def test_tokens_are_made_anew_when_what_makes_them_changed(change, tmp_path, tokenised, monkeypatch):
    folder = shutil.copytree(materialise(), tmp_path / "model")
    file = written(tmp_path, [{"messages": [ASKED, SAID]}] * 4)
    keys = {"algorithm": "sft", "backend": "trl", "model_name": str(folder), "dataset_name": file, "level": "data"}
    check(**keys)
    before = len(tokenised)
    check(**keys)
    assert len(tokenised) == before
    if change == "template":
        template = folder / "chat_template.jinja"
        template.write_text(template.read_text(encoding="utf-8") + " ", encoding="utf-8")
    elif change == "tokenizer":
        said = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        said["normalizer"] = {"type": "Lowercase"}
        (folder / "tokenizer.json").write_text(json.dumps(said), encoding="utf-8")
    elif change == "setting":
        keys["backend_args"] = {"completion_only_loss": False}
    else:
        edited = "kit" if change == "the kit's code" else "aligntune_trl"
        monkeypatch.setattr(
            "aligntune_trl.tokens.kept.row_code",
            lambda folder: "edited" if edited in folder.parts else row_code(folder),
        )
    check(**keys)
    assert len(tokenised) > before


@pytest.mark.parametrize("case", ["date", "class", "plain"])
def test_tokens_are_not_kept_where_the_same_words_may_become_others(case, tmp_path, tokenised, monkeypatch):
    """A template that writes the date, and a tokenizer's class of the model's own, are not told by their text."""
    folder = shutil.copytree(materialise(), tmp_path / "model")
    if case == "date":
        template = folder / "chat_template.jinja"
        dated = "{{ strftime_now('%d %b %Y') }}" + template.read_text(encoding="utf-8")
        template.write_text(dated, encoding="utf-8")
    elif case == "class":
        from transformers import AutoTokenizer

        monkeypatch.setattr(type(AutoTokenizer.from_pretrained(folder)), "__module__", "transformers_modules.own")
    keys = {"model_name": str(folder), "dataset_name": written(tmp_path, [{"messages": [ASKED, SAID]}] * 4)}
    for _ in range(2):
        assert check(algorithm="sft", backend="trl", level="data", **keys).ok
    assert len(tokenised) == (8 if case == "plain" else 16)


def test_how_a_tokenizer_was_called_last_makes_no_tokens_anew():
    from transformers import AutoTokenizer

    from aligntune_trl.tokens.kept import _digest

    tokenizer = AutoTokenizer.from_pretrained(materialise())
    before = _digest(tokenizer)
    tokenizer(["a", "b c"], truncation=True, max_length=1, padding="max_length")
    assert _digest(tokenizer) == before


def test_an_edited_module_has_another_digest(tmp_path):
    (tmp_path / "encoders.py").write_text("A = 1", encoding="utf-8")
    before = row_code(tmp_path)
    row_code.cache_clear()
    (tmp_path / "encoders.py").write_text("A = 2", encoding="utf-8")
    assert row_code(tmp_path) != before


def test_a_fault_in_the_last_of_many_rows_is_said(letters, tmp_path):
    rows = [{"prompt": "a", "completion": "b"}] * 5000 + [{"prompt": "a", "completion": "bcdef " * 5}]
    run = build("sft", letters, written(tmp_path, rows), max_seq_length=12, output_dir=str(tmp_path / "out"))
    (notice,) = [event for event in run.events if isinstance(event, Notice) and event.code == "rows-cut"]
    assert notice.message.startswith("1 of 5001 rows are longer than max_seq_length=12")


def test_the_second_look_finds_that_only_the_first_rows_are_at_fault(letters, tmp_path):
    long = {"prompt": "ab" * 20, "chosen": "a", "rejected": "b"}
    rows = [long] * 5000 + [{"prompt": "a", "chosen": "ab", "rejected": "ba"}] * 4
    keys = {"max_seq_length": 12, "output_dir": str(tmp_path / "out")}
    run = build("dpo", letters, written(tmp_path, rows), **keys)
    assert len(run.trainer.native.train_dataset) == 4


def test_all_prompts_are_looked_at(letters, tmp_path):
    rows = [*FEW * 1001, {"prompt": "ab" * 40}]
    job = {"batch_size": 2, "num_generations": 2, "max_completion_length": 4, "reward_functions": [share_of_a]}
    with pytest.raises(DataError, match=rf"the first of them row {len(rows) - 1} "):
        build("grpo", letters, written(tmp_path, rows), output_dir=str(tmp_path / "out"), **job)


def test_what_is_offered_to_be_called_is_written_in_every_turn(tmp_path):
    folder = shutil.copytree(materialise(), tmp_path / "model")
    template = folder / "chat_template.jinja"
    told = "{% if tools %}{% for each in tools %}{{ each['function']['name'] }}{% endfor %}{% endif %}"
    template.write_text(told + template.read_text(encoding="utf-8"), encoding="utf-8")
    rows = [{"messages": [ASKED, SAID] * 2, "tools": [TOOL]}, {"messages": [ASKED, SAID] * 2}]
    file = written(tmp_path, rows)
    native = build("sft", str(folder), file, output_dir=str(tmp_path / "out")).trainer.native
    texts = [native.processing_class.decode(row["input_ids"]) for row in native.train_dataset]
    assert [text.startswith("add_two") for text in texts] == [True, False]
    labels = [[token for token in row["labels"] if token != -100] for row in native.train_dataset]
    assert labels[0] == labels[1]


def test_prompts_that_fill_the_length_are_learned_from_where_all_is(letters, tmp_path):
    rows = [{"prompt": "ab" * 20, "completion": "cd"}] * 4
    keys = {"model_name": letters, "dataset_name": rows, "max_seq_length": 12, "max_steps": 1}
    assert not check(algorithm="sft", backend="trl", level="data", **keys).ok
    keys["backend_args"] = {"completion_only_loss": False}
    verdict = check(algorithm="sft", backend="trl", level="data", **keys)
    assert [problem.code for problem in verdict.problems] == ["rows-cut"]
    assert "72% of what would be learned" in str(verdict.problems[0])
    run = build("sft", output_dir=str(tmp_path), **keys)
    assert run.trainer.train().steps == 1


def test_a_conversation_is_learned_whole_where_all_is(tmp_path):
    rows = [{"messages": [ASKED, SAID] * 2}]
    keys = {"backend_args": {"completion_only_loss": False}, "output_dir": str(tmp_path)}
    (row,) = build("sft", "builtin:tiny", rows, **keys).trainer.native.train_dataset
    assert row["labels"] == row["input_ids"]


@pytest.mark.parametrize("answers", [1, 2])
def test_the_engine_s_own_masks_are_left_to_it(answers, tmp_path):
    rows = [{"messages": [ASKED, SAID] * answers}]
    keys = {"backend_args": {"assistant_only_loss": True}, "output_dir": str(tmp_path)}
    native = build("sft", "builtin:tiny", rows, **keys).trainer.native
    (row,) = native.train_dataset
    assert ("completion" if answers == 1 else "messages") in row
    learned = native.processing_class.decode([label for label in row["labels"] if label != -100])
    assert learned == "4<|im_end|>" * answers


def test_a_look_at_rows_holds_few_of_them():
    long = list(range(20_000))
    encoding = Encoding(encode=lambda _: [Encoded(list(long), [1] * len(long))], decode=str)
    examine_rows([{}] * 2, encoding)
    tracemalloc.start()
    try:
        examine_rows([{}] * 200, encoding)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(long) * 8
    finally:
        tracemalloc.stop()
