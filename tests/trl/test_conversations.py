"""Conversations: every answer is trained on and nothing else, whatever the tokenizer brings along."""

import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trl_runs import build, trained

from aligntune_core.errors import DataError, ModelError
from aligntune_core.kit.loading import PLAIN_CHAT_TEMPLATE
from aligntune_core.kit.tokens.conversations import encode_conversations
from aligntune_core.models.tiny import materialise

SYSTEM = {"role": "system", "content": "Be brief."}
TALK = [
    {"role": "user", "content": "What is 1 plus 7?"},
    {"role": "assistant", "content": "1 + 7 = 8"},
    {"role": "user", "content": "And the capital of Japan?"},
    {"role": "assistant", "content": "Tokyo."},
    {"role": "user", "content": "Thank you!"},
]
SHORT = TALK[:2]
END = "<|im_end|>\n"
"""What closes a turn of ``builtin:tiny``: the end token, and the line break that its template writes after it."""


def turn(role, text):
    return {"role": role, "content": text}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """``builtin:tiny`` without a chat template."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("plain") / "model"
    shutil.copytree(materialise(), folder)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(materialise())


def tokenize_conversation(messages, tokenizer):
    (encoded,) = encode_conversations([messages], tokenizer)
    return encoded


def answers(tokenizer, encoded):
    """The runs of tokens that are trained on, each as text."""
    found, before = [], 0
    for token, mask in zip(encoded.ids, encoded.learned, strict=True):
        if mask:
            found = [*found, []] if not before else found
            found[-1].append(token)
        before = mask
    return [tokenizer.decode(ids) for ids in found]


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (TALK, ["1 + 7 = 8", "Tokyo."]),
        (TALK[:4], ["1 + 7 = 8", "Tokyo."]),
        ([SYSTEM, *TALK], ["1 + 7 = 8", "Tokyo."]),
        (SHORT, ["1 + 7 = 8"]),
        ([*SHORT, turn("assistant", "Eight."), *TALK[2:]], ["1 + 7 = 8", "Eight.", "Tokyo."]),
        ([turn("assistant", "Hello."), *TALK], ["Hello.", "1 + 7 = 8", "Tokyo."]),
        ([turn("user", "assistant"), turn("assistant", "<|im_start|>")], ["<|im_start|>"]),
        ([turn("user", "Be silent."), turn("assistant", ""), *TALK], ["", "1 + 7 = 8", "Tokyo."]),
    ],
    ids=["open end", "closed", "system", "one answer", "two in a row", "answer first", "markup", "empty answer"],
)
def test_every_answer_and_nothing_else_is_trained_on(talk, expected, tokenizer):
    encoded = tokenize_conversation(talk, tokenizer)
    assert answers(tokenizer, encoded) == [answer + END for answer in expected]
    assert encoded.ids == tokenizer.apply_chat_template(talk, return_dict=True)["input_ids"]


words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_are_found_whatever_is_said(tokenizer, exchanges):
    talk = [each for question, answer in exchanges for each in (turn("user", question), turn("assistant", answer))]
    encoded = tokenize_conversation(talk, tokenizer)
    assert answers(tokenizer, encoded) == [tokenizer.decode(tokenizer.encode(answer)) + END for _, answer in exchanges]


@pytest.mark.parametrize("talk", [TALK, [SYSTEM, *TALK], TALK[1:]])
def test_the_plain_template_names_the_turns(talk, tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", PLAIN_CHAT_TEMPLATE)
    encoded = tokenize_conversation(talk, tokenizer)
    said = "".join(
        f"{each['role'].capitalize()}: {each['content']}{'<|im_end|>' * (each['role'] == 'assistant')}\n"
        for each in talk
    )
    assert tokenizer.decode(encoded.ids) == said
    assert answers(tokenizer, encoded) == [" 1 + 7 = 8<|im_end|>\n", " Tokyo.<|im_end|>\n"]


def test_a_template_that_opens_with_other_words_is_refused(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", PLAIN_CHAT_TEMPLATE.replace("Assistant:{%", "Answer:{%"))
    with pytest.raises(ModelError, match="a conversation that begins with one"):
        tokenize_conversation(TALK[1:], tokenizer)


REWRITING = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' and not loop.last %}(an earlier answer)"
    "{% else %}{{ message['role'] + ': ' + message['content'] }}{% endif %}{{ '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)


def test_a_template_that_rewrites_earlier_answers_is_refused(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", REWRITING)
    with pytest.raises(ModelError, match="rewrites earlier answers"):
        tokenize_conversation(TALK, tokenizer)
    tokenize_conversation(SHORT, tokenizer)


def labelled(native, rows=None):
    """What each row of a trainer's data is trained on, as text, after its collator."""
    data = native.train_dataset
    tokenizer = native.processing_class
    found = []
    for row in data if rows is None else rows:
        labels = native.data_collator([row])["labels"][0].tolist()
        found.append(tokenizer.decode([label for label in labels if label != -100]))
    return found


def sft(model, rows, folder, **job):
    return build("sft", model, rows, output_dir=str(folder), batch_size=1, **job)


def written(folder, rows):
    file = folder / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(file)


def test_a_file_of_conversations(tmp_path):
    """Rows of one and of several answers in one file."""
    file = written(tmp_path, [{"messages": TALK[:4]}, {"messages": SHORT}, {"messages": [SYSTEM, *TALK[:4]]}])
    run = sft("builtin:tiny", file, tmp_path / "run", max_steps=2)
    both = f"1 + 7 = 8{END}Tokyo.{END}"
    assert labelled(run.trainer.native) == [both, f"1 + 7 = 8{END}", both]
    assert len(trained(run).logged("loss")) == 2


def test_only_the_answers_make_the_loss(tmp_path):
    """The reported loss is the mean over the answers' tokens alone, computed here without TRL."""
    import torch

    run = sft("builtin:tiny", [{"messages": TALK[:4]}], tmp_path, max_steps=1, learning_rate=1e-12)
    model, tokenizer = run.trainer.model, run.trainer.tokenizer
    encoded = tokenize_conversation(TALK[:4], tokenizer)
    ids, mask = torch.tensor(encoded.ids), torch.tensor(encoded.learned)
    with torch.no_grad():
        logps = torch.log_softmax(model(ids[None]).logits[0, :-1].float(), dim=-1)
    losses = -logps[torch.arange(len(ids) - 1), ids[1:]]
    (loss,) = trained(run).logged("loss")
    assert loss == pytest.approx(losses[mask[1:] == 1].mean().item(), rel=1e-4)
    assert loss != pytest.approx(losses.mean().item(), rel=1e-4)


@pytest.mark.parametrize("talk", [SHORT, [SYSTEM, *SHORT]])
def test_a_single_answer_is_trained_on_as_trl_does(talk, tmp_path, tokenizer):
    import trl
    from datasets import Dataset

    rows = Dataset.from_list([{"prompt": talk[:-1], "completion": talk[-1:]}])
    config = trl.SFTConfig(output_dir=str(tmp_path), bf16=False, report_to="none")
    native = trl.SFTTrainer(str(materialise()), args=config, train_dataset=rows, processing_class=tokenizer)
    (row,) = list(native.train_dataset)
    encoded = tokenize_conversation(talk, tokenizer)
    labels = native.data_collator([row])["labels"][0].tolist()
    ours = [token if mask else -100 for token, mask in zip(encoded.ids, encoded.learned, strict=True)]
    assert (row["input_ids"], labels) == (encoded.ids, ours)


def test_a_tokenizer_without_a_template_gets_the_plain_one(plain, tmp_path):
    from transformers import AutoTokenizer

    run = sft(plain, [{"messages": TALK[:4]}, {"messages": SHORT}], tmp_path / "run", max_steps=1)
    (said,) = [message for message in run.notices() if "no chat template" in message]
    assert "that template is saved with the model" in said
    assert labelled(run.trainer.native)[1] == " 1 + 7 = 8<|im_end|>\n"
    trained(run).trainer.save(tmp_path / "saved")
    saved = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert saved.chat_template == PLAIN_CHAT_TEMPLATE
    prompt = saved.apply_chat_template(TALK[:1], add_generation_prompt=True, tokenize=False)
    assert prompt == "User: What is 1 plus 7?\nAssistant:"


def test_a_template_that_is_there_is_kept(tmp_path):
    run = sft("builtin:tiny", [{"messages": SHORT}], tmp_path)
    assert not any("chat template" in message for message in run.notices())
    assert run.trainer.tokenizer.chat_template != PLAIN_CHAT_TEMPLATE


LONG = turn("user", "1" * 60)
LENGTHS = {
    "answers": [{"prompt": [LONG], "completion": TALK[3:4]}, {"prompt": TALK[:1], "completion": TALK[1:2]}],
    "conversations": [{"messages": [LONG, *TALK[1:4]]}, {"messages": TALK[:4]}],
    "texts": [{"prompt": "1" * 60, "completion": " Tokyo."}, {"prompt": "1 plus 7 =", "completion": " 8"}],
}


@pytest.mark.parametrize("kind", LENGTHS)
def test_rows_without_room_for_an_answer_are_said(kind, tmp_path):
    run = sft("builtin:tiny", LENGTHS[kind], tmp_path, max_seq_length=40)
    (said,) = [message for message in run.notices() if "nothing left to learn from" in message]
    assert said.startswith("1 of 2 rows have nothing left to learn from")
    assert "max_seq_length=40" in said
    assert len(run.trainer.native.train_dataset) == 1
    assert all(labelled(run.trainer.native))


@pytest.mark.parametrize("kind", LENGTHS)
def test_nothing_is_said_where_there_is_room(kind, tmp_path):
    run = sft("builtin:tiny", LENGTHS[kind], tmp_path, max_seq_length=200)
    assert not any("nothing left" in message for message in run.notices())
    assert len(run.trainer.native.train_dataset) == 2


@pytest.mark.parametrize("kind", LENGTHS)
def test_no_row_with_room_is_an_error(kind, tmp_path):
    rows = [LENGTHS[kind][0]] * 3
    with pytest.raises(DataError, match=r"3 rows have nothing left to learn from.* Raise max_seq_length"):
        sft("builtin:tiny", rows, tmp_path, max_seq_length=40)


def test_packed_conversations_keep_their_answers(tmp_path):
    rows = [{"messages": TALK[:4]}, {"messages": TALK[:4]}, {"messages": [SYSTEM, *TALK[:4]]}]
    run = sft("builtin:tiny", rows, tmp_path, max_seq_length=400, packing=True, max_steps=1)
    (packed,) = labelled(run.trainer.native)
    # the first token of a packed row has nothing before it to be predicted from
    assert packed == f"1 + 7 = 8{END}Tokyo.{END}" * 3
    assert len(trained(run).logged("loss")) == 1
