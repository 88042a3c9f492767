"""How deep a check looks, and that what it finds besides comes with the rest."""

import json

import pytest

from aligntune_core import AlignTuneError, Capability, Encoded, Encoding, Notice, Plan, Started, Stepped, hookimpl
from aligntune_core.check.ask import check_job
from aligntune_core.check.examination import Level
from aligntune_core.machine.devices import Gpu, Nvidia
from aligntune_core.run.ask import check

FEATURES = {"full", "lora", "evaluation", "resume", "cpu", "cuda"}


def encode(row):
    prompt, answer = row["prompt"], row["completion"] + "."
    return [Encoded([ord(letter) for letter in prompt + answer], [0] * len(prompt) + [1] * len(answer))]


class Telling:
    """Mixed into a fake backend: it tells of its runs and its tokens, and does what a test says."""

    def __init__(self, backend, *, plan=None, encoding=None, create=None):
        self._backend, self._plan, self._encoding, self._create = backend, plan, encoding, create
        self.info = backend.info
        self.asked = []

    @hookimpl
    def aligntune_backend_info(self):
        return self.info

    @hookimpl
    def aligntune_plan_job(self, job, rows):
        self.asked.append(rows)
        return self._plan(rows) if callable(self._plan) else self._plan

    @hookimpl
    def aligntune_encoding(self, job, emit):
        return self._encoding(emit) if callable(self._encoding) else self._encoding

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        self.job = job
        return self._create(job, emit) if self._create else self._backend.trainer


ENCODING = Encoding(encode=encode, decode=lambda ids: "".join(map(chr, ids)), end_ids=frozenset({ord(".")}))
ROWS = [{"prompt": f"{n}+1?", "completion": str(n + 1)} for n in range(20)]


@pytest.fixture
def telling(fake, backends):
    def make(**options):
        plugin = Telling(fake("telling", Capability("sft", features=FEATURES)), **options)
        return plugin, backends(plugin)

    return make


def codes(verdict):
    return {problem.code for problem in verdict.problems}


def test_a_fast_check_reads_no_data(telling, job):
    plugin, known = telling(plan=Plan({"batch_size": 4, "gradient_accumulation_steps": 2}), encoding=ENCODING)
    verdict = check_job(job(dataset_name=ROWS), level="fast", backends=known)
    assert verdict.examination.plan.effective_batch == 8
    assert plugin.asked == [None]
    assert verdict.examination.lengths is None
    assert verdict.examination.data == ()


def test_the_data_is_read_as_the_model_will_see_it(telling, job):
    pytest.importorskip("datasets")
    plugin, known = telling(plan=lambda rows: Plan({"batch_size": 4}, rows=rows, steps=5), encoding=ENCODING)
    verdict = check_job(job(dataset_name=ROWS, warmup_steps=9), backends=known)
    found = verdict.examination
    assert plugin.asked == [20]
    assert found.lengths.rows == 20
    assert [span.text for span in found.example[0][1]] == ["0+1?", "1."]
    assert found.data[0].format == "prompt_completion"
    assert codes(verdict) == {"warmup-too-long"}
    told = json.loads(json.dumps(verdict.to_dict()))
    assert told["level"] == "data"
    assert told["plan"]["steps"] == 5


def test_rows_that_can_not_be_used_and_rows_in_both_datasets_are_said(telling, job):
    pytest.importorskip("datasets")
    _, known = telling(encoding=ENCODING)
    rows = [*ROWS, {"prompt": "1?", "completion": ""}]
    verdict = check_job(job(dataset_name=rows, eval_dataset_name=ROWS[:5]), backends=known)
    assert codes(verdict) == {"rows-unused", "evaluation-overlap"}
    overlap = next(problem for problem in verdict.problems if problem.code == "evaluation-overlap")
    assert "5 of 5 evaluation rows" in overlap.message
    assert verdict.ok


def test_data_that_has_nothing_in_common_overlaps_in_nothing(telling, job):
    pytest.importorskip("datasets")
    _, known = telling(encoding=ENCODING)
    verdict = check_job(job(dataset_name=ROWS[:10], eval_dataset_name=ROWS[10:]), backends=known)
    assert verdict.problems == ()


def test_what_is_wrong_with_the_data_comes_with_the_rest(telling, job):
    pytest.importorskip("datasets")
    _, known = telling(encoding=ENCODING)
    rows = [{"prompt": "1?", "completion": ""}]
    verdict = check_job(job(dataset_name=rows, lerning_rate=1), backends=known, places={"dataset_name": "job.yaml:3"})
    assert [problem.key for problem in verdict.errors] == ["lerning_rate", "dataset_name"]
    assert verdict.errors[1].where == "job.yaml:3"


def test_too_few_rows_for_a_step_are_an_error(telling, job):
    pytest.importorskip("datasets")
    _, known = telling(plan=Plan({"batch_size": 32}, least_rows=32), encoding=ENCODING)
    assert [problem.code for problem in check_job(job(dataset_name=ROWS), backends=known).errors] == ["too-few-rows"]


def test_checkpoints_that_do_not_fit_are_said(telling, job):
    _, known = telling(plan=Plan({"batch_size": 1}, checkpoint_bytes=10**16, checkpoints=1))
    (problem,) = check_job(job(), level="fast", backends=known).warnings
    assert (problem.code, problem.key) == ("disk-full", "output_dir")
    _, known = telling(plan=Plan({"batch_size": 1}, checkpoint_bytes=10**8, checkpoints=10**8))
    (problem,) = check_job(job(), level="fast", backends=known).warnings
    assert (problem.code, problem.key) == ("disk-full", "save_total_limit")
    _, known = telling(plan=Plan({"batch_size": 1}, checkpoint_bytes=1, checkpoints=1))
    assert check_job(job(), level="fast", backends=known).problems == ()


def test_what_the_backend_decides_is_noted_and_what_it_doubts_is_a_warning(telling, job):
    pytest.importorskip("datasets")

    def encoding(emit):
        emit(Notice("a template was made"))
        emit(Notice("it is odd", warning=True, code="odd", key="model_name"))
        return ENCODING

    _, known = telling(encoding=encoding)
    verdict = check_job(job(dataset_name=ROWS), backends=known)
    assert verdict.examination.notes == ("a template was made",)
    assert [(problem.code, problem.key) for problem in verdict.warnings] == [("odd", "model_name")]


@pytest.mark.parametrize("failure", [RuntimeError("boom"), SystemExit(3), AlignTuneError("no tokenizer")])
def test_a_backend_that_fails_is_contained(telling, job, failure):
    pytest.importorskip("datasets")

    def fail(*_):
        raise failure

    _, known = telling(encoding=fail, plan=fail if not isinstance(failure, AlignTuneError) else None)
    verdict = check_job(job(dataset_name=ROWS), backends=known)
    assert codes(verdict) == {"aligntune" if isinstance(failure, AlignTuneError) else "backend-broken"}


def test_a_reward_function_is_called(fake, backends):
    pytest.importorskip("datasets")
    known = backends(fake("telling", Capability("grpo", features=FEATURES)))

    def broken(**_):
        return [1.0]

    keys = {"algorithm": "grpo", "model_name": "org/m", "dataset_name": [{"prompt": "2+2?", "answer": "4"}]}
    verdict = check_job({**keys, "reward_functions": [broken]}, backends=known)
    (problem,) = verdict.errors
    assert (problem.code, problem.key) == ("reward", "reward_functions")
    assert "broken" in problem.message
    assert check_job({**keys, "reward_functions": ["numeric_match"]}, backends=known).ok


def trainer_that(fake, *, losses=(2.0, 1.0), fails=None):
    class Trial(type(fake().trainer)):
        def __init__(self, _, emit):
            self.emit = emit

        def train(self):
            self.emit(Started(2, device="cpu"))
            for number, loss in enumerate(losses, 1):
                self.emit(Stepped(number, {"loss": loss}))
            if fails:
                raise fails
            return super().train()

    return Trial


def test_a_probe_takes_two_steps_somewhere_else(telling, fake, job, tmp_path):
    pytest.importorskip("datasets")
    trial = trainer_that(fake)
    plugin, known = telling(
        plan=Plan({"batch_size": 2}, least_rows=6, unsaved={"saves": "no"}),
        encoding=ENCODING,
        create=trial,
    )
    keys = job(dataset_name=ROWS, output_dir=str(tmp_path / "out"), num_epochs=3, save_steps=5, batch_size=2)
    verdict = check_job(keys, level="probe", backends=known)
    assert verdict.examination.trial.losses == (2.0, 1.0)
    tried = plugin.job.settings()
    assert (tried["max_steps"], tried["max_samples"], tried["batch_size"]) == (2, 6, 2)
    assert tried["backend_args"] == {"saves": "no"}
    assert not {"num_epochs", "save_steps"} & set(tried)
    assert tried["output_dir"] != keys["output_dir"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("failure", "told"),
    [(AlignTuneError("no memory", fix="Buy some."), "stopped in step 3: no memory"), (MemoryError("9"), "MemoryError")],
)
def test_a_probe_that_fails_says_why(telling, fake, job, failure, told):
    pytest.importorskip("datasets")
    trial = trainer_that(fake, fails=failure)
    _, known = telling(encoding=ENCODING, create=trial)
    verdict = check_job(job(dataset_name=ROWS), level="probe", backends=known)
    (problem,) = verdict.errors
    assert problem.code == "trial-failed"
    assert told in problem.message


def test_a_job_that_is_refused_is_not_tried_out(telling, job):
    plugin, known = telling(encoding=ENCODING)
    check_job(job(dataset_name=ROWS, batch_size=0), level="probe", backends=known)
    assert not hasattr(plugin, "job")


def test_a_level_that_is_none_is_refused():
    with pytest.raises(AlignTuneError, match=r"no level 'deep' of a check. Known: data, fast, probe"):
        check(level="deep", algorithm="sft")
    assert [str(level) for level in Level] == ["fast", "data", "probe"]


@pytest.mark.parametrize(
    ("capability", "asked", "expected"),
    [((7, 0), "bf16", ["precision"]), ((8, 0), "bf16", []), ((7, 0), "fp16", []), (None, "bf16", [])],
)
def test_a_gpu_without_the_job_s_arithmetic_is_said(telling, job, capability, asked, expected):
    pytest.importorskip("datasets")
    gpus = Nvidia((Gpu(0, "GPU-1", "Old One", capability=capability),))
    _, known = telling(encoding=ENCODING)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("check.decide", "check.precision"):
            patch.setattr(f"aligntune_core.{module}.device", lambda: "cuda")
        patch.setattr("aligntune_core.check.precision.nvidia", lambda: gpus)
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        found = check_job(job(dataset_name=ROWS, precision=asked), backends=known)
    assert [problem.code for problem in found.errors] == expected
