"""Whatever is asked, and wherever, there is one answer: queries, checks and launches agree."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aligntune_core import Algorithm, AlignTuneError, Capability, Feature, JobError
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.queries import Answer, FoundBackend, capabilities, find_backends, supports
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide
from aligntune_core.run.launch import create_trainer

EVERYTHING = frozenset(Feature)
OWN = Algorithm("own", "Own", "sft", "demonstrations", "here", aliases=("my_own",))
WAYS = {
    Feature.FULL: {},
    Feature.LORA: {"use_peft": True},
    Feature.QLORA: {"use_peft": True, "load_in_4bit": True},
}
BESIDE = {
    Feature.PACKING: {"packing": True},
    Feature.GRADIENT_CHECKPOINTING: {"gradient_checkpointing": True},
    Feature.EVALUATION: {"eval_dataset_name": iter(())},
    Feature.RESUME: {"resume": True},
    Feature.GGUF: {"model_name": "model.gguf"},
}
DEVICES = ("cpu", "cuda")


@pytest.fixture
def on(monkeypatch):
    """Let this machine have that device."""

    def make(device):
        for module in ("check.decide", "machine.devices"):
            monkeypatch.setattr(f"aligntune_core.{module}.device", lambda: device)

    return make


@pytest.fixture
def agreement(monkeypatch, tmp_path, on):
    """Ask everything there is to ask about an algorithm with some features, and compare the answers.

    Gives how many backends can be used.
    """
    (tmp_path / "model.gguf").write_bytes(b"GGUF")

    def compare(known, plugins, algorithm, features, here):
        on(here)
        for module in ("check.ask", "check.decide", "run.launch", "backends.queries"):
            monkeypatch.setattr(f"aligntune_core.{module}.registry", lambda: known)
        job = {"algorithm": algorithm.name, "model_name": "org/m", "dataset_name": iter(()), "output_dir": "out"}
        if algorithm.reward != "none":
            job["reward_functions"] = ["numeric_match"]
        for feature in features:
            job |= {**WAYS, **BESIDE}[feature]
        declared = {each.name: each for each in find_backends(algorithm.name, device=here, features=features)}
        usable = [each.name for each in find_backends(algorithm.name, features=features, usable=True)]
        filters = {"algorithm": algorithm.name, "features": features}
        rows = [row.backend for row in capabilities(**filters, device=here)]
        usable_rows = [row.backend for row in capabilities(**filters, usable=True)]
        for name, plugin in plugins.items():
            row = plugin.info.capability(algorithm.name)
            told = (name, algorithm.name, features, here)
            in_table = row.support != "unsupported" and {*features, here} <= row.features
            packs, in_4_bits = "packing" in features, "qlora" in features
            sensible = not (packs and algorithm.task != "sft") and not (in_4_bits and here == "cpu")
            answer = supports(name, algorithm.name, *features, here)
            assert answer.yes == (in_table and sensible), (told, answer)
            assert answer.yes == (name in declared) == (name in rows), told
            answer = supports(name, algorithm.name, *features, usable=True)
            verdict = decide({**job, "backend": name})
            assert answer.yes == (in_table and sensible and known.get(name).ready), (told, answer)
            assert answer.yes == verdict.ok, (told, answer, verdict.problems)
            assert answer.yes == (name in usable) == (name in usable_rows), told
            if name in declared:
                assert declared[name].usable == answer.yes, told
            if answer:
                assert create_trainer(**job, backend=name, on_event=lambda _event: None) == plugin.trainer, told
                continue
            with pytest.raises(JobError) as caught:
                create_trainer(**job, backend=name, on_event=lambda _event: None)
            assert caught.value.problems == verdict.errors
            assert answer.reason in [problem.message for problem in verdict.errors], told
            assert name not in declared or declared[name].reason == answer.reason
        return len(usable)

    return compare


def every_question():
    """Each way to train alone, with each further feature, and with all of them."""
    beside = [(), *((feature,) for feature in BESIDE), tuple(BESIDE)]
    return [(way, *more) for way, more in product(WAYS, beside)]


def odd_tables():
    every = [each.name for each in ALGORITHMS]
    on_cpu = EVERYTHING - {Feature.CUDA}
    return {
        "everything": {"rows": [Capability(each, features=EVERYTHING) for each in every]},
        "lacking": {
            # each row lacks another feature
            "rows": [Capability(each, features=EVERYTHING - {lost}) for each, lost in zip(every, Feature, strict=False)]
        },
        "single": {"rows": [Capability("sft", features=["full", "cpu"]), Capability("dpo", features=["cuda", "lora"])]},
        "none": {"rows": [Capability(each) for each in every]},
        "refuses": {"rows": [Capability(each, "unsupported", EVERYTHING, "never") for each in every]},
        "young": {"rows": [Capability(each, "experimental", on_cpu, "it is young") for each in every]},
        "needy": {
            "rows": [Capability(each, features=EVERYTHING) for each in every],
            "requirements": ("nowhere>=2",),
        },
        "bringer": {"rows": [Capability("own", features=EVERYTHING)], "algorithms": (OWN,)},
    }


@pytest.mark.parametrize("here", DEVICES)
def test_on_odd_tables_every_question_has_one_answer(backends, fake, agreement, here):
    plugins = {
        name: fake(name, *table["rows"], **{key: value for key, value in table.items() if key != "rows"})
        for name, table in odd_tables().items()
    }
    known = backends(*plugins.values())
    usable = [
        agreement(known, plugins, algorithm, features, here)
        for algorithm, features in product((*ALGORITHMS, OWN), every_question())
    ]
    assert len(usable) == 14 * 21
    assert min(usable) == 0
    assert max(usable) >= 2


@pytest.mark.parametrize("here", DEVICES)
def test_on_the_tables_of_this_project_s_backends_every_question_has_one_answer(backends, fake, agreement, here):
    trl = pytest.importorskip("aligntune_trl.capabilities").CAPABILITIES
    unsloth = pytest.importorskip("aligntune_unsloth.capabilities").CAPABILITIES
    # their names belong to their distributions
    plugins = {"as_trl": fake("as_trl", *trl), "as_unsloth": fake("as_unsloth", *unsloth)}
    known = backends(*plugins.values())
    usable = [
        agreement(known, plugins, algorithm, features, here)
        for algorithm, features in product(ALGORITHMS, every_question())
    ]
    assert set(usable) == ({0, 1} if here == "cpu" else {0, 1, 2})


ROWS = st.builds(
    Capability,
    st.sampled_from([each.name for each in ALGORITHMS]),
    st.sampled_from(["full", "experimental", "unsupported"]),
    # most rows are nearly whole, so that there is something to say yes to
    st.sets(st.sampled_from(list(Feature)), max_size=3).map(lambda lost: EVERYTHING - lost),
    st.just("a note"),
)
TABLES = st.lists(ROWS, min_size=1, max_size=6, unique_by=lambda row: row.algorithm)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tables=st.lists(st.tuples(TABLES, st.booleans()), min_size=1, max_size=3),
    way=st.sampled_from(list(WAYS)),
    beside=st.sets(st.sampled_from(list(BESIDE))),
    here=st.sampled_from(DEVICES),
    data=st.data(),
)
def test_on_any_table_a_question_has_one_answer(backends, fake, agreement, *, tables, way, beside, here, data):
    plugins = {
        f"made_{number}": fake(f"made_{number}", *rows, requirements=() if whole else ("nowhere>=2",))
        for number, (rows, whole) in enumerate(tables)
    }
    declared = [row.algorithm for rows, _ in tables for row in rows]
    algorithm = data.draw(st.sampled_from([each for each in ALGORITHMS if each.name in declared]))
    agreement(backends(*plugins.values()), plugins, algorithm, (way, *sorted(beside)), here)


def test_what_no_job_can_ask_for_is_answered_from_the_table(backends, fake):
    known = backends(fake("many", Capability("sft", features=["multi_gpu", "cuda"])), "fake")
    assert supports("many", "sft", "multi_gpu", backends=known)
    assert not supports("fake", "sft", "multi_gpu", backends=known)
    assert names(find_backends("sft", features="multi_gpu", backends=known)) == ["many"]
    assert {row.backend for row in capabilities(features=["multi_gpu"], backends=known)} == {"many"}


def names(found):
    return [each.name for each in found]


def test_backends_are_found_in_the_order_that_auto_prefers(backends, plugin, job):
    known = Registry(entry_points=[plugin(name) for name in ("zeta", "unsloth", "acme", "trl")], environ={})
    assert names(find_backends("sft", backends=known)) == ["trl", "unsloth", "acme", "zeta"]
    known = backends("zeta", "acme")
    found = names(find_backends("sft", features=["full"], usable=True, backends=known))
    assert found == ["acme", "zeta"]
    assert decide(job(), backends=known).backend == found[0]


def test_a_backend_that_was_found_says_whether_it_can_be_used_and_why_not(backends, fake):
    needy = fake("needy", Capability("sft", features=EVERYTHING), requirements=("nowhere>=2",))
    distant = fake("distant", Capability("sft", "experimental", ["cuda", "full"], "it is young"))
    known = backends("fake", needy, distant)
    needs = "it needs nowhere>=2 (nowhere is not installed)"
    assert find_backends("sft", backends=known) == [
        FoundBackend("distant", False, "backend 'distant' does not train 'sft' on a CPU."),
        FoundBackend("fake", True, "backend 'fake' declares full support of 'sft'."),
        FoundBackend("needy", False, f"backend 'needy' can't be used here: {needs}."),
    ]
    assert names(find_backends("sft", usable=True, backends=known)) == ["fake"]
    assert [str(each) for each in find_backends("DPO", backends=known)] == ["fake"]
    assert find_backends("ppo", backends=known) == []


def test_backends_can_be_found_by_device_and_features_alone(backends, fake):
    known = backends(fake("bolt", Capability("sft", features=["lora"]), Capability("dpo", features=["cuda"])), "fake")
    assert names(find_backends(backends=known)) == ["bolt", "fake"]
    assert names(find_backends(features="lora", backends=known)) == ["bolt", "fake"]
    # no one row of bolt has both
    assert names(find_backends(device="CUDA", features="lora", backends=known)) == ["fake"]
    assert names(find_backends(features="lora, Gradient-Checkpointing", backends=known)) == ["fake"]
    (_, fake_) = find_backends(backends=known)
    assert fake_.reason == "backend 'fake' declares it for sft, dpo."


def test_a_gpu_that_is_asked_for_has_to_be_here(backends, on):
    known = backends("fake")
    assert names(find_backends("sft", device="cuda", backends=known)) == ["fake"]
    assert find_backends("sft", device="cuda", usable=True, backends=known) == []
    (found,) = find_backends("sft", device="cuda", backends=known)
    assert (found.usable, found.reason) == (False, "no CUDA GPU is here.")
    on("cuda")
    assert names(find_backends("sft", device="cuda", usable=True, backends=known)) == ["fake"]


def test_a_backend_for_a_cpu_only_is_of_no_use_where_jobs_run_on_a_gpu(backends, fake, on):
    known = backends(fake("small", Capability("sft", features=["cpu", "full"])))
    assert find_backends("sft", device="cpu", usable=True, backends=known)
    on("cuda")
    assert find_backends("sft", device="cpu", backends=known)
    assert not find_backends("sft", device="cpu", usable=True, backends=known)


@pytest.mark.parametrize("ask", [find_backends, capabilities])
@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"algorithm": "gropo"}, "there is no algorithm 'gropo'. Did you mean 'grpo'?"),
        ({"algorithm": ""}, "there is no algorithm ''. Known: "),
        ({"features": ["lora", "packin"]}, "there is no feature 'packin'. Did you mean 'packing'?"),
        ({"features": "lora,packin"}, "there is no feature 'packin'. Did you mean 'packing'?"),
        ({"device": "gpu"}, "there is no device 'gpu'. Known: cpu, cuda."),
        ({"device": "lora"}, "there is no device 'lora'. Known: cpu, cuda."),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(backends, ask, filters, said):
    with pytest.raises(AlignTuneError) as caught:
        ask(**filters, backends=backends("fake"))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"backend": "fkae"}, "there is no backend 'fkae'. Did you mean 'fake'?"),
        ({"task": "online-lr"}, "there is no task 'online-lr'. Did you mean 'online_rl'?"),
    ],
)
def test_rows_of_nothing_that_there_is_are_refused(backends, filters, said):
    with pytest.raises(AlignTuneError) as caught:
        capabilities(**filters, backends=backends("fake"))
    assert str(caught.value) == said


def test_rows_can_be_asked_for_by_task_device_feature_and_use(backends, fake):
    bolt = fake("bolt", Capability("sft", features=["cuda"]), Capability("grpo", features=["cpu", "lora"]))
    known = backends("fake", bolt)

    def cells(**filters):
        return [(row.backend, row.algorithm) for row in capabilities(**filters, backends=known)]

    assert {algorithm for _, algorithm in cells(task="preference")} == {"dpo", "kto"}
    online = {each.name for each in ALGORITHMS if each.is_online}
    assert {algorithm for _, algorithm in cells(task="Online-RL")} == online
    assert ("bolt", "dpo") in cells(task="preference")
    assert cells(device="cuda") == [("bolt", "sft"), ("fake", "sft"), ("fake", "dpo")]
    assert cells(features="lora") == [("bolt", "grpo"), ("fake", "sft"), ("fake", "dpo")]
    assert cells(features=["packing"]) == [("fake", "sft")]
    assert cells(usable=True) == [("bolt", "grpo"), ("fake", "sft"), ("fake", "dpo")]
    assert cells(usable=True, backend="bolt", task="sft") == []


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (("fake", "sft", "lora", "cpu"), Answer(True, "backend 'fake' declares full support of 'sft'.")),
        (("fake", "ppo"), Answer(False, "backend 'fake' does not train 'ppo': not declared.")),
        (("fake", "dpo", "packing"), Answer(False, "'packing' has no effect on 'dpo'.")),
        (("fake", "sft", "qlora", "cpu"), Answer(False, "'load_in_4bit' needs a CUDA GPU, not a CPU.")),
        (("young", "sft"), Answer(True, "backend 'young' declares experimental support of 'sft': it is young.")),
        (
            ("distant", "sft"),
            Answer(
                True,
                "backend 'distant' declares full support of 'sft'. "
                "It is not usable here: backend 'distant' does not train 'sft' on a CPU.",
            ),
        ),
    ],
)
def test_an_answer_says_why(backends, fake, asked, answer):
    young = fake("young", Capability("sft", "experimental", ["cpu"], "it is young."))
    known = backends("fake", young, fake("distant", Capability("sft", features=["cuda"])))
    assert supports(*asked, backends=known) == answer
