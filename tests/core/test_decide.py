"""Every decision about a job, and every reason against one."""

from __future__ import annotations

import sys
from itertools import combinations, product
from pathlib import Path
from types import ModuleType

import pytest

from aligntune_core import Algorithm, Capability, Feature, ImportOrder, JobError, Problem, Severity
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.origins import install_command
from aligntune_core.backends.queries import capabilities, supports
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide

EVERYTHING = frozenset(Feature)


@pytest.fixture
def judge(backends, job):
    """The verdict on a job, changed in some keys, where only the backend 'fake' or the given ones are."""

    def make(*plugins, known=None, probe=False, places=None, **changes):
        known = known or backends(*(plugins or ["fake"]))
        return decide(job(**changes), backends=known, probe=probe, places=places)

    return make


@pytest.fixture
def only(judge):
    """The one problem of a job."""

    def make(*plugins, **changes):
        verdict = judge(*plugins, **changes)
        assert len(verdict.problems) == 1, [str(problem) for problem in verdict.problems]
        return verdict.problems[0]

    return make


def test_a_job_that_can_run(judge):
    verdict = judge(backend="fake")
    assert (verdict.ok, verdict.backend, verdict.reason) == (True, "fake", "the job names it")
    assert verdict.problems == ()
    assert verdict.raise_if_refused().backend == "fake"
    assert verdict.to_dict()["job"]["backend"] == "fake"


def test_unknown_algorithm(only):
    problem = only(algorithm="gpro", backend="fake")
    assert (problem.code, problem.key) == ("unknown-algorithm", "algorithm")
    assert str(problem) == "there is no algorithm 'gpro'. Did you mean 'grpo'?"


def test_unknown_algorithm_like_no_other_lists_them(only):
    assert "Known: " in only(algorithm="zzz").fix


def test_unknown_backend(only):
    problem = only(backend="fkae")
    assert (problem.code, problem.key) == ("unknown-backend", "backend")
    assert str(problem) == "there is no backend 'fkae'. Did you mean 'fake'?"


@pytest.mark.parametrize("spelt", ["fake", "FAKE", " Fake "])
def test_a_backend_is_meant_however_it_is_capitalised(judge, spelt):
    assert judge(backend=spelt).backend == "fake"
    assert judge("Fake", backend=spelt).backend == "Fake"


@pytest.mark.parametrize("spelt", ["dr-grpo", "drgrpo", "Dr. GRPO"])
def test_an_alias_becomes_the_name(judge, fake, spelt):
    able = fake("able", Capability("dr_grpo", features=EVERYTHING))
    verdict = judge(able, algorithm=spelt, reward_functions=["numeric_match"], backend="able")
    assert verdict.ok, verdict.problems
    assert verdict.job.algorithm == "dr_grpo"


def test_unsupported_algorithm_names_the_backend_that_supports_it(only, fake):
    other = fake("other", Capability("gspo", features=EVERYTHING))
    unable = fake("unable", Capability("gspo", "unsupported", note="GSPO runs on the other backend only."))
    problem = only(unable, other, algorithm="gspo", reward_functions=["numeric_match"], backend="unable")
    assert (problem.code, problem.key) == ("unsupported-algorithm", "algorithm")
    assert str(problem) == (
        "backend 'unable' does not train 'gspo': GSPO runs on the other backend only. Use backend='other'."
    )


def test_unsupported_algorithm_that_no_backend_here_supports(only, fake):
    unable = fake("unable", Capability("sft", features=EVERYTHING))
    problem = only(unable, algorithm="dpo", backend="unable")
    assert problem.message == "backend 'unable' does not train 'dpo': not declared."
    # the backends of this project are not installed here, and one of them may
    assert problem.fix == f"No other backend here does; install one that may: {install_command(['aligntune-trl'])}"


def test_an_algorithm_that_another_plugin_brings_is_known(judge, fake):
    mine = Algorithm("mine", "Mine", "sft", "demonstrations", "here")
    other = fake("other", Capability("mine", features=EVERYTHING), algorithms=(mine,))
    verdict = judge("fake", other, algorithm="mine", dataset_name=[], backend="fake")
    assert "unsupported-algorithm" in [problem.code for problem in verdict.errors]
    assert "Use backend='other'." in str(verdict.errors[0])
    assert judge("fake", other, algorithm="mine", dataset_name=[], backend="other").ok


FEATURES = {
    Feature.LORA: {"use_peft": True},
    Feature.QLORA: {"use_peft": True, "load_in_4bit": True},
    Feature.FULL: {},
    Feature.PACKING: {"packing": True},
    Feature.GRADIENT_CHECKPOINTING: {"gradient_checkpointing": True},
    Feature.EVALUATION: {"eval_dataset_name": [{"prompt": "a", "completion": "b"}]},
    Feature.RESUME: {"resume": True},
    Feature.GGUF: {"model_name": "model.gguf"},
    Feature.CPU: {},
    Feature.CUDA: {},
}


@pytest.mark.parametrize("feature", FEATURES)
def test_unsupported_feature(judge, fake, feature, tmp_path, monkeypatch):
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    if feature in (Feature.CUDA, Feature.QLORA):
        monkeypatch.setattr("aligntune_core.check.decide.device", lambda: "cuda")
    lacking = fake("lacking", Capability("sft", features=EVERYTHING - {feature}))
    whole = fake("whole", Capability("sft", features=EVERYTHING))
    verdict = judge(lacking, whole, backend="lacking", **FEATURES[feature])
    (problem,) = verdict.problems
    assert problem.code == "unsupported-feature"
    assert problem.message.startswith("backend 'lacking' does not train 'sft' ")
    assert problem.fix == "Use backend='whole'."
    assert judge(lacking, whole, backend="whole", **FEATURES[feature]).ok
    automatic = judge(lacking, whole, **FEATURES[feature])
    assert automatic.backend == "whole"
    assert automatic.rejected["lacking"].startswith(problem.message)


def test_backend_not_installed(only):
    problem = only(backend="unsloth")
    assert (problem.code, problem.key) == ("backend-not-installed", "backend")
    assert problem.message == "backend 'unsloth' is not installed: aligntune-unsloth is not installed."
    assert problem.fix == f"Install it with: {install_command(['aligntune-unsloth'])}"


def test_backend_whose_engine_is_missing(only, fake):
    needy = fake("needy", Capability("sft", features=EVERYTHING), requirements=("nowhere>=2",), install="pip install x")
    problem = only(needy, backend="needy")
    assert problem.code == "backend-not-installed"
    assert problem.message == "backend 'needy' can't be used here: it needs nowhere>=2 (nowhere is not installed)."
    assert problem.fix == "Install it with: pip install x"


def test_what_a_backend_lacks_is_said_even_where_it_could_not_train_this(judge, fake):
    needy = fake("needy", Capability("sft", features=EVERYTHING), requirements=("nowhere>=2",))
    codes = [problem.code for problem in judge(needy, algorithm="dpo", backend="needy").errors]
    assert codes == ["unsupported-algorithm", "backend-not-installed"]


def test_backend_broken_is_chained_to_its_cause(plugin, judge):
    known = Registry(entry_points=[plugin("odd", before="1 / 0\n")], environ={})
    verdict = judge(known=known, backend="odd")
    (problem,) = verdict.problems
    assert problem.code == "backend-broken"
    assert "ZeroDivisionError: division by zero." in problem.message
    with pytest.raises(JobError) as caught:
        verdict.raise_if_refused()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_backend_disabled(plugin, judge):
    known = Registry(entry_points=[plugin("acme")], environ={"ALIGNTUNE_DISABLED_BACKENDS": "acme"})
    (problem,) = judge(known=known, backend="acme").problems
    assert problem.code == "backend-disabled"
    assert "ALIGNTUNE_DISABLED_BACKENDS names it" in problem.message


def test_backend_heavy_is_only_said(plugin, module_file, judge, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    module_file("torch")
    features = "('full', 'cpu')"
    known = Registry(
        entry_points=[
            plugin(
                "slow",
                before="import torch\n",
                after="\n_old = aligntune_backend_info\n@hookimpl\ndef aligntune_backend_info():\n"
                f"    return BackendInfo('slow', '', 1, (Capability('sft', features={features}),))\n",
            )
        ],
        environ={},
    )
    verdict = judge(known=known, backend="slow")
    assert verdict.ok
    assert [problem.code for problem in verdict.warnings] == ["backend-heavy"]


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"lora_r": 8}, ["lora_r"]),
        ({"lora_r": 8, "lora_alpha": 16, "lora_dropout": 0.1}, ["lora_r", "lora_alpha", "lora_dropout"]),
        ({"use_peft": False, "lora_target_modules": ["q"]}, ["lora_target_modules"]),
        ({"beta": 0.1}, ["beta"]),
        ({"num_generations": 4, "temperature": 1}, ["num_generations", "temperature"]),
        ({"max_completion_length": 4}, ["max_completion_length"]),
        ({"reward_model_name": "org/reward"}, ["reward_model_name"]),
        ({"reward_functions": ["numeric_match"]}, ["reward_functions"]),
        ({"eval_steps": 5}, ["eval_steps"]),
        ({"algorithm": "dpo", "packing": True}, ["packing"]),
    ],
)
def test_no_effect(judge, changes, keys):
    verdict = judge(backend="fake", **changes)
    assert [(problem.code, problem.key) for problem in verdict.errors] == [("no-effect", key) for key in keys]
    assert all(problem.fix for problem in verdict.errors)


@pytest.mark.parametrize("changes", [{"load_in_4bit": False}, {"algorithm": "dpo", "packing": False}])
def test_what_is_switched_off_has_no_effect_to_miss(judge, changes):
    assert judge(**changes).ok


def test_steps_win_over_epochs(judge):
    verdict = judge(max_steps=3, num_epochs=1)
    assert verdict.ok
    assert [(problem.code, problem.key) for problem in verdict.warnings] == [("no-effect", "num_epochs")]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"warmup_steps": 3, "warmup_ratio": 0.1}, "warmup_ratio"),
        ({"algorithm": "ppo", "reward_model_name": "org/r", "reward_functions": ["numeric_match"]}, "reward_functions"),
    ],
)
def test_contradiction(judge, fake, changes, key):
    able = fake("able", Capability("ppo", features=EVERYTHING), Capability("sft", features=EVERYTHING))
    verdict = judge(able, backend="able", **changes)
    assert [(problem.code, problem.key) for problem in verdict.errors] == [("contradiction", key)]


@pytest.mark.parametrize("algorithm", ["grpo", "gspo", "dapo", "dr_grpo", "ppo"])
def test_no_reward(only, fake, algorithm):
    able = fake("able", Capability(algorithm, features=EVERYTHING))
    for nothing in ({}, {"reward_functions": []}):
        problem = only(able, algorithm=algorithm, backend="able", **nothing)
        assert problem.code == "no-reward"
        assert problem.fix


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"precision": "fp16"}, "precision"), ({"use_peft": True, "load_in_4bit": True}, "load_in_4bit")],
)
def test_what_a_cpu_does_not_do(judge, fake, changes, key, monkeypatch):
    able = fake("able", Capability("sft", features=EVERYTHING))
    assert [(problem.code, problem.key) for problem in judge(able, **changes).errors] == [("precision", key)]
    monkeypatch.setattr("aligntune_core.check.decide.device", lambda: "cuda")
    assert judge(able, **changes).ok


@pytest.fixture
def loaded(monkeypatch):
    """Put a module into this process for a test, or take one out of it."""

    def make(*names, without=()):
        for name in names:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        for name in without:
            monkeypatch.delitem(sys.modules, name, raising=False)

    return make


def test_process_conflict(judge, fake, loaded):
    shy = fake("shy", Capability("sft", features=EVERYTHING), conflicts=("rewriter_of_things",))
    assert judge(shy, backend="shy").ok
    loaded("rewriter_of_things")
    (problem,) = judge(shy, backend="shy").problems
    assert problem.code == "process-conflict"
    assert "'rewriter_of_things' was imported in it" in problem.message
    assert "isolation='process'" in problem.fix
    assert judge(shy, backend="shy", isolation="process").ok


def test_import_order(judge, fake, loaded):
    first = fake(
        "first", Capability("sft", features=EVERYTHING), import_order=(ImportOrder("patcher", ["lib_a", "lib_b"]),)
    )
    loaded(without=["patcher", "lib_a", "lib_b"])
    assert judge(first, backend="first").ok
    loaded("lib_b")
    (problem,) = judge(first, backend="first").problems
    assert problem.code == "import-order"
    assert "has to import 'patcher' before lib_b," in problem.message
    loaded("patcher", "lib_a")
    assert judge(first, backend="first").ok


def test_auto_passes_over_a_backend_that_this_process_does_not_suit(judge, fake, loaded):
    loaded("rewriter_of_things")
    shy = fake("a_shy", Capability("sft", features=EVERYTHING), conflicts=("rewriter_of_things",))
    verdict = judge(shy, "fake")
    assert verdict.backend == "fake"
    assert "rewriter_of_things" in verdict.rejected["a_shy"]


@pytest.mark.parametrize(
    ("made", "named", "words"),
    [
        ("file", "file", "is a file"),
        ("file", "file/deeper/still", "is a file"),
        (None, "x" * 300, "a name of 300 bytes, and 255 are possible"),
        (None, "~no-such-user-anywhere/out", "no user of that name"),
        (None, "/proc/nothing", "can't be written to"),
    ],
)
def test_output_not_writable(only, tmp_path, made, named, words):
    if made:
        (tmp_path / made).write_text("")
    problem = only(output_dir=named)
    assert (problem.code, problem.key) == ("output-not-writable", "output_dir")
    assert words in problem.message
    assert problem.fix


def test_checking_writes_nothing(judge, tmp_path):
    assert judge(output_dir="new/folder").ok
    assert list(tmp_path.glob("new*")) == []


def test_output_of_an_earlier_run_is_only_said(judge, tmp_path):
    (tmp_path / "out" / "checkpoint-5").mkdir(parents=True)
    assert [(problem.code, problem.severity) for problem in judge().problems] == [("output-in-use", Severity.WARNING)]
    assert judge(resume=True).problems == ()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("./nowhere", "model-not-found", "there is no model at './nowhere'. Check the path."),
        ("./modle", "model-not-found", "Did you mean 'model'?"),
        ("a/b/c", "model-not-found", "there is no model at 'a/b/c'"),
        ("nowhere.gguf", "model-not-found", "there is no model at"),
        ("~no-such-user-anywhere/model", "model-not-found", "there is no model at"),
        ("./" + "x" * 300, "model-not-found", "there is no model at"),
        ("what is this?", "model-not-found", "neither a path that exists nor a hub id"),
        ("-x/y", "model-not-found", "neither a path that exists nor a hub id"),
        ("builtin:tniy", "unknown-model", "Did you mean 'builtin:tiny'?"),
        ("empty", "model-not-readable", "the folder 'empty' holds no model: it has no config.json."),
        ("notes.txt", "model-not-readable", "is a file; a model is a folder or a .gguf file."),
        ("bad.gguf", "model-not-readable", "is not a GGUF file"),
        ("/dev/null", "model-not-readable", "is a device; a model is a folder or a .gguf file"),
    ],
)
@pytest.mark.parametrize("key", ["model_name", "reward_model_name"])
def test_models_that_are_not_there(judge, fake, tmp_path, key, name, code, words):  # noqa: PLR0917 a table
    (tmp_path / "model").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "bad.gguf").write_bytes(b"FFUG")
    able = fake("able", Capability("ppo", features=EVERYTHING))
    needed = {"reward_model_name": "org/reward"} | {key: name}
    verdict = judge(able, algorithm="ppo", backend="able", **needed)
    assert [(problem.code, problem.key) for problem in verdict.errors] == [(code, key)]
    assert words in str(verdict.errors[0])


@pytest.mark.parametrize("name", ["org/model", "gpt2", "model", "./model", "good.gguf", "adapter", "builtin:tiny"])
def test_models_that_may_be_there(judge, fake, tmp_path, name):
    for folder, file in (("model", "config.json"), ("adapter", "adapter_config.json")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("{}")
    (tmp_path / "good.gguf").write_bytes(b"GGUF....")
    able = fake("able", Capability("sft", features=EVERYTHING))
    assert judge(able, model_name=name, backend="able").ok
    assert judge(able, model_name=tmp_path / name, backend="able").ok or name in ("org/model", "gpt2", "builtin:tiny")


class Odd:
    """Rows that fail however they are looked at."""

    column_names = ("a",)

    def __getattribute__(self, name):
        if name == "column_names":
            raise ZeroDivisionError("boo")
        return super().__getattribute__(name)

    def __getitem__(self, index):
        raise ZeroDivisionError("boo")

    def __len__(self):
        raise ZeroDivisionError("boo")

    __repr__ = __len__


@pytest.mark.parametrize("rows", [Odd(), [{1: 2}], "x" * 300 + ".json", "~no-such-user-anywhere/rows.json"])
def test_data_that_cannot_be_looked_into_is_a_problem(only, rows):
    problem = only(dataset_name=rows)
    assert (problem.code, problem.key) == ("data", "dataset_name")


def test_data_that_is_not_there(only):
    problem = only(dataset_name="rows.jsonl")
    assert (problem.code, problem.key) == ("data", "dataset_name")
    assert "there is no file or folder 'rows.jsonl'" in problem.message


@pytest.mark.parametrize(
    "found", [lambda: 1 / 0, lambda: [3], lambda: 3, lambda: sys.exit(1), lambda: (_ for _ in ()).throw(OSError("x"))]
)
def test_a_backend_that_fails_to_check_is_refused_and_not_crashed_with(only, fake, found):
    faulty = fake("faulty", Capability("sft", features=EVERYTHING), problems=found)
    problem = only(faulty, backend="faulty")
    assert problem.code == "backend-broken"
    assert "backend 'faulty' failed while it checked the job: " in problem.message


def test_a_backend_s_own_problems_are_the_job_s(judge, fake):
    picky = fake(
        "picky",
        Capability("sft", features=EVERYTHING),
        problems=[
            Problem("too-small", "it is too small.", "", "batch_size", "warning"),
            Problem("no", "no.", "", "seed"),
        ],
    )
    verdict = judge(picky, backend="picky", places={"seed": "job.yaml:3", "batch_size": "job.yaml:4"})
    assert [(problem.code, problem.where) for problem in verdict.problems] == [
        ("no", "job.yaml:3"),
        ("too-small", "job.yaml:4"),
    ]
    assert verdict.errors[0].severity is Severity.ERROR
    assert verdict.warnings[0].severity is Severity.WARNING


def test_a_severity_that_is_none_is_refused():
    with pytest.raises(ValueError, match="fatal"):
        Problem("x", "x", severity="fatal")


@pytest.mark.parametrize("probe", [True, False])
def test_a_backend_is_told_whether_it_may_probe(judge, fake, probe):
    backend = fake()
    judge(backend, probe=probe)
    judge(backend, backend="fake", probe=probe)
    assert backend.checked == [probe, probe]


def test_auto_takes_backends_in_the_stated_order(plugin, judge):
    after = """
@hookimpl
def aligntune_backend_info():
    return BackendInfo({!r}, "", 1, (Capability("sft", features=("full", "cpu")),))
"""
    points = [plugin(name, after=after.format(name)) for name in ("zeta", "unsloth", "acme", "trl")]
    order = ["trl", "unsloth", "acme", "zeta"]
    for count in range(1, 4):
        here = [point for point in points if point.name in order[count - 1 :]]
        verdict = judge(known=Registry(entry_points=here, environ={}))
        assert verdict.backend == order[count - 1]
        assert verdict.reason == "it is the first that supports the whole job here"
        for later in order[count:]:
            assert verdict.rejected[later] == f"'{order[count - 1]}' comes first"


def test_auto_says_why_it_rejected_each(judge, fake, plugin):
    known = Registry(
        entry_points=[plugin("broken", before="1 / 0\n"), plugin("off")], environ={"ALIGNTUNE_DISABLED_BACKENDS": "off"}
    )
    for backend in (
        fake("able", Capability("sft", features=EVERYTHING)),
        fake("second", Capability("sft", features=EVERYTHING)),
        fake("bare", Capability("sft", features=["cpu"])),
        fake("other", Capability("dpo")),
        fake("picky", Capability("sft", features=EVERYTHING), problems=[Problem("no", "it does not like it.", "Ask.")]),
    ):
        known.register(backend.info.name, backend)
    verdict = judge(known=known)
    assert verdict.backend == "able"
    assert verdict.rejected == {
        "trl": "backend 'trl' is not installed: aligntune-trl is not installed. "
        f"Install it with: {install_command(['aligntune-trl'])}",
        "unsloth": "backend 'unsloth' is not installed: aligntune-unsloth is not installed. "
        f"Install it with: {install_command(['aligntune-unsloth'])}",
        "bare": "backend 'bare' does not train 'sft' with all weights.",
        "broken": verdict.rejected["broken"],
        "off": "backend 'off' is disabled: ALIGNTUNE_DISABLED_BACKENDS names it. Change that environment variable.",
        "other": "backend 'other' does not train 'sft': not declared.",
        "picky": "it does not like it. Ask.",
        "second": "'able' comes first",
    }
    assert "ZeroDivisionError" in verdict.rejected["broken"]


def test_no_backend(judge, fake):
    verdict = judge(fake("bare", Capability("sft", features=["cpu"])))
    (problem,) = verdict.problems
    assert (problem.code, verdict.backend, verdict.ok) == ("no-backend", "", False)
    assert problem.message == (
        "no backend can run this job here: backend 'trl' is not installed: aligntune-trl is not installed; "
        "backend 'unsloth' is not installed: aligntune-unsloth is not installed; "
        "backend 'bare' does not train 'sft' with all weights."
    )
    assert problem.fix == f"Install one, e.g. with: {install_command(['aligntune-trl'])}"


def test_auto_speaks_of_the_job_where_a_backend_could_train_it_were_it_right(judge, fake):
    misspelt = Problem(
        "unknown-key", "it has no 'max_lenght'.", "Did you mean 'max_length'?", "backend_args.max_lenght"
    )
    picky = fake("picky", Capability("sft", features=EVERYTHING), problems=[misspelt])
    places = {"backend_args.max_lenght": "job.yaml:9"}
    verdict = judge(picky, places=places)
    assert [str(problem) for problem in verdict.problems] == [
        "job.yaml:9: it has no 'max_lenght'. Did you mean 'max_length'?"
    ]


def test_an_explicit_backend_is_never_swapped(judge, fake):
    unable = fake("unable", Capability("dpo", features=EVERYTHING))
    verdict = judge(unable, "fake", backend="unable")
    assert (verdict.backend, verdict.ok) == ("unable", False)
    assert verdict.job.backend == "unable"
    with pytest.raises(JobError, match="Use backend='fake'"):
        verdict.raise_if_refused()


def test_everything_wrong_is_said_at_once(judge):
    verdict = judge(
        algorithm="dpo", lr=3, batch_size=0, packing=True, model_name="./nowhere", backend="fkae", output_dir="/proc/x"
    )
    assert {problem.code for problem in verdict.errors} == {
        "unknown-key",
        "out-of-range",
        "no-effect",
        "model-not-found",
        "unknown-backend",
        "output-not-writable",
    }
    with pytest.raises(JobError) as caught:
        verdict.raise_if_refused()
    text = str(caught.value)
    assert text.startswith("The job can't run, for 6 reasons:\n  - ")
    assert text.count("\n  - ") == 6


def test_errors_come_before_warnings(judge):
    verdict = judge(max_steps=1, num_epochs=1, lora_r=8)
    assert [problem.severity for problem in verdict.problems] == [Severity.ERROR, Severity.WARNING]


def test_a_verdict_is_ready_for_json(judge):
    told = judge(batch_size=0, backend="fake").to_dict()
    assert told["ok"] is False
    assert told["backend"] == "fake"
    assert set(told) >= {"ok", "backend", "problems", "rejected", "job"}
    assert set(told["problems"][0]) >= {"code", "severity", "key", "message", "fix"}
    assert "batch_size" not in told["job"]


ASKABLE = [Feature.LORA, Feature.PACKING, Feature.GRADIENT_CHECKPOINTING, Feature.EVALUATION]


def asked_of(algorithm, features):
    keys = {key: value for feature in features for key, value in FEATURES[feature].items()}
    if "eval_dataset_name" in keys:
        keys["eval_dataset_name"] = iter(())
    if algorithm.reward != "none":
        keys["reward_functions"] = ["numeric_match"]
    return keys


def test_a_query_and_a_launch_never_disagree(backends, fake):
    """Over every backend, algorithm and set of features that a job can ask for."""
    some = frozenset({Feature.CPU, Feature.FULL})
    makers = {
        "everything": [Capability(each.name, features=EVERYTHING) for each in ALGORITHMS],
        "bare": [Capability(each.name, "experimental", some, "young") for each in ALGORITHMS],
        "lora_only": [Capability(each.name, features=EVERYTHING - {Feature.FULL}) for each in ALGORITHMS],
        "gpu_only": [Capability(each.name, features=EVERYTHING - {Feature.CPU}) for each in ALGORITHMS],
        "refuses": [Capability(each.name, "unsupported", EVERYTHING, "never") for each in ALGORITHMS],
        "silent": [Capability("sft", features=EVERYTHING)],
    }
    known = backends(*(fake(name, *rows) for name, rows in makers.items()))
    sets = [chosen for size in range(len(ASKABLE) + 1) for chosen in combinations(ASKABLE, size)]
    compared = 0
    for backend, algorithm, chosen in product(makers, ALGORITHMS, sets):
        if Feature.PACKING in chosen and algorithm.name != "sft":
            continue
        keys = asked_of(algorithm, chosen)
        job = {
            "algorithm": algorithm.name,
            "model_name": "org/m",
            "dataset_name": iter(()),
            "output_dir": "out",
            **keys,
        }
        verdict = decide({**job, "backend": backend}, backends=known)
        asked = {*chosen, Feature.CPU, *([] if Feature.LORA in chosen else [Feature.FULL])}
        answer = supports(backend, algorithm.name, *asked, backends=known)
        assert answer.yes == verdict.ok, (backend, algorithm.name, chosen, answer, verdict.problems)
        if not answer:
            assert answer.reason in {problem.message for problem in verdict.errors}
        (row,) = capabilities(backend=backend, algorithm=algorithm.name, backends=known)
        assert answer.yes == (row.support != "unsupported" and asked <= set(row.features))
        compared += 1
    assert compared == len(makers) * (len(sets) + (len(ALGORITHMS) - 1) * len(sets) // 2)


def test_auto_and_the_backend_it_chose_agree(fake, backends, job):
    known = backends("fake", fake("bare", Capability("sft", features=["cpu"])))
    for changes in ({}, {"use_peft": True}, {"packing": True}, {"batch_size": 0}, {"lora_r": 3}, {"algorithm": "ppo"}):
        automatic = decide(job(**changes), backends=known)
        if automatic.backend:
            named = decide(job(backend=automatic.backend, **changes), backends=known)
            assert automatic.ok == named.ok
            assert automatic.problems == named.problems


def test_a_key_that_a_backend_does_not_declare_is_refused(backends, fake, job):
    known = backends(fake("bolt", job_keys=["learning_rate"]), "open")
    assert decide(job(backend="bolt", learning_rate=1e-3, max_samples=2), backends=known).ok
    verdict = decide(job(backend="bolt", seed=3, weight_decay=0.1), backends=known)
    assert {(problem.code, problem.key) for problem in verdict.errors} == {
        ("unsupported-key", "seed"),
        ("unsupported-key", "weight_decay"),
    }
    chosen = decide(job(backend="auto", seed=3), backends=known)
    assert chosen.backend == "open"
    assert "does not take 'seed'" in chosen.rejected["bolt"]


def test_a_misspelt_file_that_could_be_a_hub_s_name_is_doubted(backends, job):
    Path("rows.jsonl").write_text('{"prompt": "2+2?", "completion": "4"}\n')
    (problem,) = decide(job(dataset_name="rows.jsnl"), backends=backends("fake")).problems
    assert (problem.code, problem.key, problem.severity) == ("data-perhaps-a-file", "dataset_name", "warning")
    assert problem.fix == "Did you mean 'rows.jsonl'?"
    assert decide(job(dataset_name="org/other.v2"), backends=backends("fake")).problems == ()
