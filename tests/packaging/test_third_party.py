"""A third party's backend, installed from its wheel, used through everything that a user has."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.packaging

JOB = {
    "algorithm": "sft",
    "backend": "minimal",
    "model_name": "builtin:tiny",
    "dataset_name": "builtin:instructions",
    "max_steps": 8,
    "batch_size": 8,
    "learning_rate": 3e-3,
    "logging_steps": 1,
}
BEGIN = f"""
import json, sys
from aligntune import JobError, check, create_rl_trainer, create_sft_trainer, create_trainer
from aligntune.core.backend_factory import get_backend_status
JOB = {JOB!r}
events = []
def losses():
    found = [event.metrics["loss"] for event in events if type(event).__name__ == "Stepped" and event.metrics]
    events.clear()
    return found
def loaded(*names):
    return sorted(name for name in names if name in sys.modules)
"""
LABELLED = [
    {"prompt": f"Question: What colour is item {index}?\nAnswer:", "completion": f" It is {colour}.", "label": good}
    for index in range(8)
    for colour, good in (("green", True), ("red", False))
]


def same(value):
    """The same figure, but for what the alignment of memory changes in a sum."""
    return pytest.approx(value, rel=1e-5)


@pytest.fixture(scope="module")
def trained(full):
    """A run through Python: what came of it and what it left in the process."""
    return full.script(
        BEGIN
        + """
job = {key: value for key, value in JOB.items() if key != "algorithm"}
trainer = create_sft_trainer(
    **job, eval_dataset_name="builtin:instructions", eval_steps=4, output_dir="python", on_event=events.append
)
before = trainer.evaluate()
result = trainer.train()
folder = trainer.save()
after = trainer.evaluate()
names = [type(event).__name__ for event in events]
from transformers import AutoModelForCausalLM, AutoTokenizer
model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
same = all((a == b).all() for a, b in zip(model.parameters(), trainer.model.parameters()))
print(json.dumps(dict(
    result=result.to_dict(), before=before, after=after, names=names, folder=str(folder), same=bool(same),
    template=bool(tokenizer.chat_template), native=type(trainer.native).__module__,
    loaded=loaded("trl", "aligntune_trl", "aligntune_unsloth", "unsloth"), losses=losses(),
)))
"""
    )


def test_trains_through_python(trained):
    assert trained["result"]["steps"] == 8
    losses = trained["losses"]
    assert len(losses) == 8
    assert losses[-1] < losses[0] - 0.5
    assert trained["result"]["train_loss"] == pytest.approx(sum(losses) / 8)
    assert trained["after"]["eval_loss"] < trained["before"]["eval_loss"] - 0.5
    assert trained["native"] == "aligntune_minimal.engine"


def test_tells_what_happens_in_order(trained):
    names = trained["names"]
    assert names[:4] == ["Decided", "DataReady", "DataReady", "Evaluated"]
    assert names[4] == "Started"
    middle = names[5 : names.index("Finished")]
    assert middle == [*["Stepped"] * 4, "Evaluated", *["Stepped"] * 4, "Evaluated"]
    assert names[names.index("Finished") :] == ["Finished", "Saved", "Evaluated"]


def test_saves_what_plain_transformers_loads(trained):
    assert trained["folder"] == "python"
    assert trained["same"]
    assert trained["template"]


def test_launching_it_loads_no_other_backend(trained):
    assert trained["loaded"] == []


def test_a_job_file_and_the_command_line_train_the_same(full, trained):
    (full.work / "job.yaml").write_text("\n".join(f"{key}: {json.dumps(value)}" for key, value in JOB.items()))
    by_file = full.json("train", "job.yaml", "output_dir=file")
    assert by_file["status"] == "ok"
    assert (by_file["algorithm"], by_file["backend"], by_file["steps"]) == ("sft", "minimal", 8)
    assert (full.work / "file/model.safetensors").is_file()
    words = [f"{key}={value}" for key, value in JOB.items()]
    told = full.aligntune("train", *words, "output_dir=words", "--json")
    by_words = json.loads(told.stdout.strip().splitlines()[-1])
    assert by_file["train_loss"] == same(trained["result"]["train_loss"])
    assert by_words["train_loss"] == same(trained["result"]["train_loss"])
    assert "step 8/8" in told.stderr
    assert "the model is in words" in told.stderr


def test_an_algorithm_of_its_own_trains(full, tried):
    (full.work / "labelled.json").write_text(json.dumps(LABELLED))
    words = ["algorithm=unlike", "backend=minimal", "model_name=builtin:tiny", "dataset_name=labelled.json"]
    settings = ["num_epochs=20", "batch_size=8", "learning_rate=2e-3", "logging_steps=1"]
    by_words = full.json("train", *words, *settings, "output_dir=unlike", "backend_args.unlikelihood_weight=0.5")
    assert by_words["algorithm"] == "unlikelihood"
    assert by_words["train_loss"] == same(tried["unlikelihood 0.5"]["train_loss"])
    first, last = tried["unlikelihood 0.5"]["first"], tried["unlikelihood 0.5"]["last"]
    assert last["logp/good"] > first["logp/good"] + 0.5
    # the more a bad answer's loss counts, the less likely bad answers are in the end
    bad = [tried[f"unlikelihood {weight}"]["last"]["logp/bad"] for weight in ("0", "0.5", "2")]
    assert bad[0] > bad[1] + 0.05
    assert bad[1] > bad[2] + 0.05


def test_an_algorithm_of_its_own_is_in_the_queries(full):
    rows = {(row["backend"], row["algorithm"]): row for row in full.json("capabilities")["capabilities"]}
    row = rows["minimal", "unlikelihood"]
    assert (row["task"], row["support"], row["note"]) == ("preference", "experimental", "tried on small models only")
    assert rows["trl", "unlikelihood"]["support"] == "unsupported"
    assert "unlikelihood" in full.aligntune("capabilities").stdout
    told = full.script(
        "import json, sys, aligntune\n"
        "yes, no = aligntune.supports('minimal', 'unlike'), aligntune.supports('trl', 'unlikelihood')\n"
        "job = dict(algorithm='unlikelihood', model_name='builtin:tiny', dataset_name='builtin:preferences')\n"
        "auto = aligntune.check(level='fast', **job)\n"
        "heavy = [name for name in ('torch', 'transformers', 'datasets', 'trl', 'numpy') if name in sys.modules]\n"
        "print(json.dumps([bool(yes), bool(no), heavy, auto.rejected]))"
    )
    assert told[:3] == [True, False, []]
    assert "'trl' does not train 'unlikelihood'" in told[3]["trl"]


def test_queries_read_what_it_recorded_which_is_what_its_plugin_says(full):
    told = full.aligntune("plugin", "export", "minimal", "--check").stdout
    assert told == "What is recorded of 'minimal' is what its plugin says.\n"
    told = full.script(
        "import json, sys, aligntune\n"
        "yes, slow = aligntune.supports('minimal', 'unlike'), {'aligntune_minimal', 'pluggy', 'importlib.metadata'}\n"
        "print(json.dumps([bool(yes), sorted(slow & set(sys.modules))]))"
    )
    assert told == [True, []]


def test_a_backend_that_lacks_the_algorithm_names_the_one_that_has_it(full):
    words = ["algorithm=unlikelihood", "backend=trl", "model_name=builtin:tiny", "dataset_name=builtin:instructions"]
    problems = full.json("check", *words, code=2)["problems"]
    (found,) = [problem for problem in problems if problem["code"] == "unsupported-algorithm"]
    assert found["fix"] == "Use backend='minimal'."


def test_auto_chooses_it_where_nothing_else_can(full):
    (full.work / "labelled.json").write_text(json.dumps(LABELLED))
    words = ["algorithm=unlikelihood", "model_name=builtin:tiny", "dataset_name=labelled.json"]
    assert full.json("check", *words)["backend"] == "minimal"


def test_a_check_says_what_it_will_train_on(full):
    words = [f"{key}={value}" for key, value in JOB.items()]
    told = full.json("check", *words, "num_epochs=1", "max_seq_length=28")
    assert told["plan"]["steps"] == full.json("train", *words, "num_epochs=1", "max_seq_length=28")["steps"]
    assert told["lengths"]["cut"] > 0
    assert "rows-cut" in [problem["code"] for problem in told["problems"]]
    learned = [span["text"] for span in told["example"][0]["spans"] if span["learned"]]
    assert learned == ["The day after"], "what is beyond max_seq_length is not shown as learned from"


def test_every_job_key_is_honoured_or_refused(full):
    told = full.script(
        BEGIN
        + """
from aligntune import Job
from aligntune_core.check.rules import CORE_KEYS
from aligntune_minimal.settings import JOB_KEYS
values = dict(
    packing=True, gradient_checkpointing=True, resume=True, use_peft=True, load_in_4bit=True, lora_r=8, lora_alpha=16,
    lora_dropout=0.1, lora_target_modules=["q_proj"], beta=0.1, reward_model_name="builtin:tiny",
    reward_functions=["numeric_match"], num_generations=4, max_completion_length=8, temperature=0.7, save_steps=5,
    save_total_limit=2, report_to=["wandb"],
)
more = dict(values, use_peft=True)
accepted = []
for algorithm in ("sft", "unlikelihood"):
    job = dict(JOB, algorithm=algorithm, dataset_name=[{"prompt": "a", "completion": "b", "label": True}])
    assert check(level='fast', **job).ok, check(level='fast', **job).problems
    for key, value in values.items():
        if check(level='fast', **job, **{key: value}).ok:
            accepted.append([algorithm, key])
print(json.dumps([sorted(set(Job.model_fields) - JOB_KEYS - CORE_KEYS - set(values)), accepted, loaded("torch")]))
"""
    )
    unknown, accepted, heavy = told
    assert unknown == [], "a new job key: add it to the values above, so that it is seen to be refused"
    assert accepted == []
    assert heavy == []


def test_what_it_refuses_it_refuses_at_once_and_in_words(full):
    words = ["save_steps=5", "lr_scheduler=polynomial", "precision=fp16", "backend_args.adam_beta=1"]
    told = full.json("check", *[f"{key}={value}" for key, value in JOB.items()], *words, code=2)
    found = {problem["key"]: problem for problem in told["problems"]}
    assert found["save_steps"]["message"] == "backend 'minimal' does not take 'save_steps'."
    assert found["lr_scheduler"]["fix"] == "Use one of linear, cosine, constant."
    assert "fp16" in found["precision"]["message"]
    assert found["backend_args.adam_beta"]["fix"] == "Did you mean 'adam_betas'?"


@pytest.fixture(scope="module")
def tried(full):
    """Many short runs in one process."""
    return full.script(
        BEGIN
        + f"LABELLED = {LABELLED!r}"
        + """
def run(**more):
    trainer = create_trainer(**{**JOB, "max_steps": 4, **more}, on_event=events.append)
    return trainer, trainer.train()
def rates():
    return [event.metrics["learning_rate"] for event in events if type(event).__name__ == "Stepped" and event.metrics]
out = {}
run(); out["whole"] = losses()
run(); out["again"] = losses()
run(batch_size=2, gradient_accumulation_steps=4); out["split"] = losses()
run(seed=1); out["seed"] = losses()
run(precision="bf16"); out["bf16"] = losses()
run(max_steps=6, warmup_steps=2, learning_rate=1.0e-3); out["rates"] = rates(); events.clear()
_, result = run(max_steps=None, num_epochs=2, max_samples=24); out["epochs"] = result.steps; events.clear()
trainer, _ = run(max_seq_length=20); out["longest"] = max(len(each.tokens) for each in trainer.native._examples)
from aligntune import AlignTuneError
for name, more in dict(
    diverged=dict(learning_rate=1e30), cut=dict(max_seq_length=2), absent=dict(model_name="no/such-model")
).items():
    try:
        run(**more)
    except AlignTuneError as error:
        events.clear()
        out[name] = [type(error).__name__, error.exit_code, str(error), type(error.__cause__).__name__]
for weight in (0, 0.5, 2):
    trainer = create_rl_trainer(
        "builtin:tiny", LABELLED, algorithm="unlikelihood", backend="minimal", num_epochs=20, batch_size=8,
        learning_rate=2e-3, logging_steps=1, backend_args={"unlikelihood_weight": weight}, on_event=events.append,
    )
    result = trainer.train()
    figures = [event.metrics for event in events if type(event).__name__ == "Stepped"]
    events.clear()
    out[f"unlikelihood {weight}"] = dict(train_loss=result.train_loss, first=figures[0], last=figures[-1])
print(json.dumps(out))
"""
    )


def test_settings_do_what_they_say(tried):
    assert tried["again"] == same(tried["whole"])
    assert tried["split"] == pytest.approx(tried["whole"], rel=1e-4)
    assert tried["seed"] != same(tried["whole"])
    assert tried["bf16"] != same(tried["whole"])
    assert tried["bf16"] == pytest.approx(tried["whole"], rel=0.05)
    assert tried["rates"] == pytest.approx([0, 5e-4, 1e-3, 7.5e-4, 5e-4, 2.5e-4])
    assert tried["epochs"] == 6
    assert tried["longest"] == 20


def test_what_goes_wrong_is_said_in_the_contracts_own_errors(tried):
    assert tried["diverged"][:2] == ["RunError", 1]
    assert "'loss' is nan at step " in tried["diverged"][2]
    assert tried["cut"][0] == "DataError"
    assert tried["absent"][0] == "ModelError"
