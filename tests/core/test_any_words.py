"""Whatever is typed after the program's name, or stands in a job file: no traceback, and the right line is named."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aligntune_core.backends import registry as plugins
from aligntune_core.check.decide import decide
from aligntune_core.cli.arguments import judge
from aligntune_core.cli.main import main
from aligntune_core.errors import AlignTuneError, JobFileError
from aligntune_core.job import Job
from aligntune_core.jobs.file import apply_overrides, load_job_file

FREELY = settings(deadline=None, suppress_health_check=list(HealthCheck))
GOOD = ["algorithm=sft", "model_name=org/model", "dataset_name=rows.jsonl", "max_steps=2"]


@pytest.fixture
def here(monkeypatch, backends):
    """A backend of this process is the only one that there is, and it has something to train on."""
    known = backends("fake")
    Path("rows.jsonl").write_text('{"prompt": "2+2?", "completion": "4"}\n' * 4)
    asking = ("check.ask", "check.decide", "run.launch", "backends.queries")
    for module in (*asking, "cli.screens.matrix", "cli.screens.backends"):
        monkeypatch.setattr(f"aligntune_core.{module}.registry", lambda: known)
    monkeypatch.setattr(plugins, "registry", lambda: known)
    return known


names = st.sampled_from(sorted(Job.model_fields))
yaml_like = st.text("ab:-[]{}&*!?|>'\"#%@ \n\t0.1e=<~,\\UuxFf", max_size=25)
typed = (
    st.text(max_size=10)
    | yaml_like
    | st.sampled_from(
        [
            *("null", "~", "true", "1e3", "[1, 2]", "{a: 1}", "=", "<<", "{<<: 1}", "{[1]: 2}", "*a", "&a [*a]"),
            *('"\\U00110000"', '"\\UFFFFFFFF"', '"\\ud800"', f"%YAML 1.{'9' * 5000}\n---\na: 1", "1" * 5000),
            *("x" * 400, "/" * 300, "a/" * 3000, "~nobody_here", "\udcff", "\0", f"0x{'f' * 5000}", "2026-13-01"),
            *(
                "!!python/name:os.system",
                "!!int ''",
                "!!binary x",
                "!!set {a}",
                "!!omap [a: 1]",
                ".inf",
                ".nan",
                "1:30",
            ),
        ]
    )
)
dotted = st.lists(names | st.sampled_from(["a", "lora", "", " "]) | st.text(max_size=3), min_size=1, max_size=4)
settings_words = st.tuples(names | dotted.map(".".join) | names.map("--{}".format), typed).map("=".join)
words = (
    settings_words
    | st.text(max_size=10)
    | st.sampled_from(
        [
            *("--json", "--help", "--merge", "--", "-", "--=", "--version", "--backend", "--algorithm", "fake", "sft"),
            *("x.yaml", "rows.jsonl", "/etc", ".", "\udcff", "\udcff=1", "\0", "\0=1", "a" * 5000, "a" * 300 + "=1"),
            *("seed=1", "seed=2", "--seed=3", "seed.x=1", "backend_args.a=1", "backend_args={a: 1}", "backend_args=3"),
        ]
    )
)


def run(arguments):
    """The exit code of the program, and what it said on standard output and standard error."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        main(arguments)
    out.flush(), err.flush()
    return end.value.code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()


def expect_an_answer(arguments):
    code, out, err = run(arguments)
    assert code in (0, 1, 2, 130)
    assert "Traceback" not in out + err
    assert out or err


@pytest.mark.usefixtures("here")
@settings(FREELY, max_examples=150)
@example(rest=["a" * 300 + "=1"], base=[])
@given(rest=st.lists(words, max_size=4), base=st.sampled_from([[], GOOD]))
def test_any_words_after_check_get_an_answer(rest, base):
    expect_an_answer(["check", *base, *rest])


@pytest.mark.usefixtures("here")
@settings(FREELY, max_examples=60)
@given(rest=st.lists(words, max_size=3), base=st.sampled_from([[], GOOD]))
def test_any_words_after_train_get_an_answer(rest, base):
    expect_an_answer(["train", *base, *rest])


@pytest.mark.usefixtures("here")
@settings(FREELY, max_examples=60)
@given(
    command=st.sampled_from(["capabilities", "backends", "schema"]) | st.text(max_size=8),
    rest=st.lists(words, max_size=3),
)
def test_any_other_words_get_an_answer(command, rest):
    if command not in {"train", "check", "quickstart"}:
        expect_an_answer([command, *rest])


@settings(FREELY, max_examples=150)
@given(st.lists(words, max_size=5))
def test_any_words_are_values_or_an_error(given_words):
    try:
        values = apply_overrides({}, given_words)
    except AlignTuneError:
        return
    # nothing that was typed is lost
    for word in given_words:
        target = values
        for part in word.partition("=")[0].strip().lstrip("-").split("."):
            target = target[part]


@pytest.mark.usefixtures("here")
def test_a_word_longer_than_a_file_s_name_is_no_file():
    code, _, err = run(["check", f"output_dir={'x/' * 200}", *GOOD])
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("typed_words", "told"),
    [
        (["backend_args.a=1", "backend_args={b: 2}"], "'backend_args={b: 2}' replaces 'backend_args.a=1'"),
        (
            ["backend_args={a: 2}", "backend_args.a=1"],
            "'backend_args.a=1' sets what 'backend_args={a: 2}' sets already",
        ),
        (["backend_args.a.b=1", "backend_args.a=1"], "'backend_args.a=1' replaces 'backend_args.a.b=1'"),
        (["backend_args.a=1", "backend_args.a.b=1"], "reaches into 'a', which has no keys of its own"),
    ],
)
def test_no_word_is_replaced_by_another_in_silence(typed_words, told):
    with pytest.raises(JobFileError) as refused:
        apply_overrides({}, typed_words)
    assert told in str(refused.value)


def test_words_may_add_to_what_another_word_gives():
    assert apply_overrides({}, ["backend_args={a: 1}", "backend_args.b=2"]) == {"backend_args": {"a": 1, "b": 2}}


@pytest.mark.usefixtures("here")
def test_a_problem_of_a_word_is_not_laid_to_the_job_file():
    Path("job.yaml").write_text("seed: 1\nbatch_size: 0\nalgorithm: sft\nmodel_name: org/m\ndataset_name: rows.jsonl\n")
    problems = judge(["job.yaml", "--seed=-1"]).problems
    assert {problem.key: problem.where for problem in problems} == {"seed": "", "batch_size": "job.yaml:2"}


# job files

BAD = {
    "batch_size": "0",
    "seed": "-1",
    "lr_scheduler": "cosin",
    "max_steps": "many",
    "packing": "maybe",
    "warmup_ratio": "1",
    "precision": "fp8",
    "save_steps": "[]",
    "yes": "1",
    "0x10": "1",
    "learning-rate": "1",
    "column_mapping": "\n  a: {b: 1}",
    "logging_steps": "&x 0",
    "eval_steps": "*x",
}
FINE = {"weight_decay": "0.1", "num_epochs": "1", "temperature": "1", "dataset_split": '"train"', "max_samples": "5"}
required = {"algorithm": "sft", "model_name": "org/model", "dataset_name": "org/data"}
between = st.sampled_from(["", "# seed: -1\n", "\n", "   \n", "# batch_size: 0\n\n"])


@settings(FREELY, max_examples=150)
@given(
    planted=st.lists(st.sampled_from(sorted(BAD)), unique=True).filter(
        lambda keys: "eval_steps" not in keys or "logging_steps" in keys[: keys.index("eval_steps")]
    ),
    fine=st.lists(st.sampled_from(sorted(FINE)), unique=True),
    gaps=st.lists(between, min_size=25, max_size=25),
    written=st.tuples(st.sampled_from([b"", b"\xef\xbb\xbf"]), st.sampled_from(["\n", "\r\n", "\r"])),
)
def test_each_problem_names_the_line_that_holds_its_key(planted, fine, gaps, written, here):
    start, end = written
    lines = [*required.items(), *((key, FINE[key]) for key in fine), *((key, BAD[key]) for key in planted)]
    text = "".join(f"{gap}{key}: {value}\n" for gap, (key, value) in zip(gaps, lines, strict=False))
    path = Path("job.yaml")
    path.write_bytes(start + text.replace("\n", end).encode())
    found = load_job_file(path)
    problems = [each for each in decide(found.values, places=found.places, backends=here).problems if each.key in BAD]
    assert {problem.key for problem in problems} == set(planted)
    for problem in problems:
        named = text.splitlines()[int(problem.where.removeprefix("job.yaml:")) - 1]
        assert named.startswith(f"{problem.key}:")


lines_of_yaml = st.lists(
    st.tuples(
        names | st.sampled_from(["a", "<<", "yes", "1", "? x", "- a", "\ta", "%YAML 1.1", "---", "..."]) | yaml_like,
        st.sampled_from([": ", ":", "\n  b: ", ": |\n ", ": >\n ", ": &a ", ": *a", " "]),
        typed,
    ).map("".join),
    max_size=6,
)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
contents = st.binary(max_size=80) | st.tuples(lines_of_yaml, st.sampled_from(["\n", "\r\n", "\r"]), encodings).map(
    lambda drawn: drawn[1].join(drawn[0]).encode(drawn[2], "replace")
)


@settings(FREELY, max_examples=200)
@given(contents)
def test_any_bytes_are_a_job_file_or_one_line_that_says_why_not(tmp_path, content):
    path = tmp_path / "job.yaml"
    path.write_bytes(content)
    said, values = "", {}
    try:
        values = load_job_file(path).values
    except JobFileError as error:
        said = str(error)
        assert str(path) in said
    assert "\n" not in said
    assert all(isinstance(key, str) for key in values)


plain_names = st.text(st.characters(exclude_characters="."), max_size=5)


@settings(FREELY, max_examples=60)
@given(
    st.recursive(
        typed | st.integers() | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_names, inner, max_size=3),
    )
)
def test_what_yaml_writes_is_read_as_it_was(tmp_path, value):
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump({"backend_args": value}), encoding="utf-8")
    assert load_job_file(path).values == {"backend_args": value}


@pytest.mark.parametrize("content", ['a: 1\nb: "\\U00110000"\n', 'a: 1\nb: "\\UFFFFFFFF"\n'])
def test_an_escape_of_no_character_is_told_with_its_line(content):
    Path("job.yaml").write_text(content)
    with pytest.raises(JobFileError, match=r"job.yaml:2: this is not YAML: a number in it is too large"):
        load_job_file("job.yaml")


def test_a_key_is_the_word_that_stands_there(here):
    Path("job.yaml").write_text("on: 1\nyes: 2\ntrue: 3\n0x10: 4\n")
    found = load_job_file("job.yaml")
    assert found.values == {"on": 1, "yes": 2, "true": 3, "0x10": 4}
    problems = decide(found.values, places=found.places, backends=here).problems
    assert "job.yaml:1: a job has no key 'on'." in [f"{each.where}: {each.message}" for each in problems]


def test_a_key_twice_is_found_in_a_list_too():
    Path("job.yaml").write_text("a:\n- b: 1\n  b: 2\n")
    with pytest.raises(JobFileError, match=r"job.yaml:3: 'a.0.b' stands here a second time, first at job.yaml:2"):
        load_job_file("job.yaml")


def test_a_key_that_is_merged_in_has_its_line():
    Path("job.yaml").write_text("model_name: org/m\n<<: {seed: -1, model_name: x}\n")
    found = load_job_file("job.yaml")
    assert (found.places["seed"], found.places["model_name"]) == ("job.yaml:2", "job.yaml:1")
    assert found.values == {"model_name": "org/m", "seed": -1}


@pytest.mark.usefixtures("here")
def test_a_verdict_of_any_words_is_json():
    code, out, _ = run(["check", "--json", "seed=\udcff", 'model_name="\\ud800"', "backend_args.x=.nan", "zz\udcff=1"])
    assert code == 2
    assert {problem["key"] for problem in json.loads(out)["problems"]} >= {"seed", "zz\udcff", "algorithm"}
