"""Job files are data, and what is wrong in one is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aligntune_core.check.decide import decide
from aligntune_core.errors import AlignTuneError, JobFileError
from aligntune_core.job import Job
from aligntune_core.jobs.file import JobFile, apply_overrides, load_job_file
from aligntune_core.jobs.read import read_job


@pytest.fixture
def file(tmp_path):
    def write(content, name="job.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path):
    with pytest.raises(JobFileError) as caught:
        load_job_file(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_job_file_gives_values_and_their_lines(file):
    path = file("# mine\nalgorithm: sft\n\nlearning_rate: 2e-5\nbackend_args:\n  max_length: 64\n  lora: {r: 8}\n")
    found = load_job_file(path)
    assert found.values == {
        "algorithm": "sft",
        "learning_rate": "2e-5",
        "backend_args": {"max_length": 64, "lora": {"r": 8}},
    }
    assert found.places == {
        "algorithm": f"{path}:2",
        "learning_rate": f"{path}:4",
        "backend_args": f"{path}:5",
        "backend_args.max_length": f"{path}:6",
        "backend_args.lora": f"{path}:7",
        "backend_args.lora.r": f"{path}:7",
    }


def test_a_number_that_yaml_takes_for_text_is_a_number(file):
    values = load_job_file(file("learning_rate: 2e-5\nmax_steps: 1e3")).values
    job, _ = read_job(values)
    assert (job.learning_rate, job.max_steps) == (2e-5, 1000)


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "{}", "\ufeffalgorithm: sft"])
def test_an_empty_file_or_a_byte_order_mark_is_no_fault(file, content):
    assert set(load_job_file(file(content)).values) <= {"algorithm"}


def test_problems_carry_the_line_of_their_key(file, backends):
    path = file("algorithm: sft\nmodel_name: org/model\ndataset_name: org/data\nlr: 3\nbatch_size: 0\n")
    found = load_job_file(path)
    verdict = decide(found.values, places=found.places, backends=backends("fake"))
    assert {problem.key: problem.where for problem in verdict.problems} == {
        "lr": f"{path}:4",
        "batch_size": f"{path}:5",
    }
    assert f"{path}:4: a job has no key 'lr'. Did you mean 'learning_rate'?" in [str(each) for each in verdict.problems]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands here a second time"),
        ("a:\n  b: 1\n  b: 2\n", 3, "'a.b' stands here a second time"),
        (b"a: 1\nb: \xff\xfe\n", 2, "not UTF-8"),
        ("a: 1\nb: [1, 2\n", 3, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: b: c\n", 1, "not YAML"),
        ("a: 1\nb: \0\n", 2, "holds the character '\\x00'"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML: but found another document"),
        ("a: 1\nb: *nowhere\n", 2, "undefined alias"),
        ("? [a, b]\n: 1\n", 1, "a key must be a plain word"),
        ("a:\n- {[1]: 2}\n", 2, "a key must be a plain word"),
        ("a: 1\nb: &x {c: *x}\n", 2, "holds itself"),
        ("a: 1\nb: &x [*x]\n", 2, "holds itself"),
        ("a: 1\nb: 2026-13-45\n", 2, "'2026-13-45' can't be read as a YAML timestamp"),
        ("a: 1\nb: !!timestamp soon\n", 2, "'soon' can't be read as a YAML timestamp"),
        ("a: 1\nb: !!int ''\n", 2, "'' can't be read as a YAML int"),
        ("a: 1\nb: !!bool perhaps\n", 2, "'perhaps' can't be read as a YAML bool"),
        ("a: 1\nb: 1" + "0" * 5000, 2, "can't be read as a YAML int"),
        ("a: 1\nb: !!python/object/apply:os.system [echo]\n", 2, "python/object/apply:os.system"),
        ("a: 1\nb: !mine x\n", 2, "!mine"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(file, content, line, words):
    path = file(content)
    said = refusal(path)
    assert said.startswith(f"{path}:{line}: ")
    assert words in said
    assert len(said) < 400 + len(str(path)) * 2


@pytest.mark.parametrize(("content", "what"), [("- a\n- b", "a list"), ("just words", "one text"), ("3", "one number")])
def test_a_file_that_is_no_mapping_says_what_it_is(file, content, what):
    said = refusal(file(content))
    assert f"holds {what}, not keys with values" in said
    assert "algorithm: sft" in said


def test_a_file_that_is_not_there(tmp_path):
    assert "there is no job file" in refusal(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("name", "told"), [(".", "is a folder, not a file"), ("a\0b", "can't be read"), ("x" * 5000, "can't be read")]
)
def test_a_path_that_is_no_file(name, told):
    assert told in refusal(name)


def test_aliases_that_multiply_are_refused_before_they_do(file):
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than 100,000 values" in refusal(file("\n".join(levels)))


def test_aliases_are_otherwise_welcome(file):
    values = load_job_file(file("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n")).values
    assert values == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}


def test_nesting_has_an_end(file):
    assert "nested too deeply" in refusal(file("a: " + "[" * 1_000))


def test_no_code_is_run(file, tmp_path):
    refusal(file(f"a: !!python/object/apply:pathlib.Path.touch [{tmp_path / 'touched'}]"))
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["learning_rate=5e-5"], {"learning_rate": "5e-5"}),
        (["--batch_size=4"], {"batch_size": 4}),
        (["backend_args.a=64", "backend_args.x.y=[1, 2]"], {"backend_args": {"a": 64, "x": {"y": [1, 2]}}}),
        (["packing=true"], {"packing": True}),
        (["resume=true"], {"resume": True}),
        (["resume=out/checkpoint-5"], {"resume": "out/checkpoint-5"}),
        (["lora_target_modules=[q_proj, v_proj]"], {"lora_target_modules": ["q_proj", "v_proj"]}),
        (["column_mapping={query: instruction}"], {"column_mapping": {"query": "instruction"}}),
        (["max_samples=null", "model_name=null"], {"max_samples": None, "model_name": None}),
        # text stays text
        (["output_dir=2026-01-01"], {"output_dir": "2026-01-01"}),
        (["output_dir=3"], {"output_dir": "3"}),
        (["model_name=yes"], {"model_name": "yes"}),
        (["dataset_name=no"], {"dataset_name": "no"}),
        (["dataset_name=data: here.json"], {"dataset_name": "data: here.json"}),
        (["dataset_name=a=b.json"], {"dataset_name": "a=b.json"}),
        (["reward_model_name=1e3"], {"reward_model_name": "1e3"}),
        # what is not YAML is text
        (["x=!!timestamp soon"], {"x": "!!timestamp soon"}),
        (["x=[1, 2"], {"x": "[1, 2"}),
        (["x=&a [*a]"], {"x": "&a [*a]"}),
        (["x=*.json"], {"x": "*.json"}),
        (["x=null"], {"x": None}),
    ],
)  # fmt: skip
def test_words_lay_values_over_a_job(words, read):
    assert apply_overrides({}, words) == read


def test_words_leave_the_file_s_values_as_they_were():
    values = {"backend_args": {"a": 1, "b": {"c": 2}}, "seed": 1}
    assert apply_overrides(values, ["backend_args.b.c=3"]) == {"backend_args": {"a": 1, "b": {"c": 3}}, "seed": 1}
    assert values["backend_args"]["b"]["c"] == 2


@pytest.mark.parametrize("word", ["batch_size", "=4", "", "--", ".=3", "a..b=3", "a.=3", ".a=3"])
def test_a_word_that_is_no_key_and_value(word):
    with pytest.raises(JobFileError, match="not of the form key=value"):
        apply_overrides({}, [word])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["learning_rate="], "'learning_rate=' gives no value. Write learning_rate=null"),
        (["seed=1", "batch_size=2", "seed=2"], "'seed' is given a second time, as 'seed=2'. Keep one."),
        (["other.yaml"], "A job file comes first, and there is one at most."),
    ],
)
def test_a_slip_on_the_command_line_is_told(words, told):
    with pytest.raises(JobFileError) as refused:
        apply_overrides({}, words)
    assert told in str(refused.value)


@pytest.mark.parametrize("word", ["seed.x=1", "seed.x.y=1"])
def test_a_word_cannot_reach_into_what_has_no_keys(word):
    with pytest.raises(JobFileError, match="'seed', which has no keys of its own"):
        apply_overrides({"seed": 1}, [word])


FREELY = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
YAML_LIKE = st.text("ab:-[]{}&*!?|>'\"#%@ \n\t0.1e=<~,", max_size=40)
LINES = st.lists(
    st.tuples(st.sampled_from([*sorted(Job.model_fields)[:8], "a", "<<"]), YAML_LIKE).map(": ".join), max_size=5
).map("\n".join)


@FREELY
@example(b"a: !!int ''")
@example(b"=: =")
@example(b"a: !!set [1]")
@example(b"a: !!omap {b: 1}")
@example(b"<<: 1")
@given(st.binary(max_size=60) | YAML_LIKE.map(str.encode) | LINES.map(str.encode))
def test_any_bytes_are_a_job_file_or_an_error(file, content):
    path = file(content)
    try:
        found = load_job_file(path)
    except AlignTuneError:
        return
    assert isinstance(found, JobFile)
    job, _ = read_job(found.values)
    assert isinstance(job, Job)


@FREELY
@given(st.lists(st.text(max_size=20) | st.tuples(st.sampled_from(sorted(Job.model_fields)), YAML_LIKE).map("=".join)))
def test_any_words_are_keys_with_values_or_an_error(words):
    try:
        values = apply_overrides({}, words)
    except AlignTuneError:
        return
    job, _ = read_job(values)
    assert isinstance(job, Job)


def test_the_path_may_be_text_or_a_path(file):
    path = file("seed: 1")
    assert load_job_file(str(path)).values == load_job_file(Path(path)).values
