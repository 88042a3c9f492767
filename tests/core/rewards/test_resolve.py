# ruff: noqa: ARG001, ARG005 - reward functions are given more than they use
import contextlib
import functools
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntune_core.errors import RewardError
from aligntune_core.job import Job
from aligntune_core.rewards import BUILTINS, Length, resolve
from aligntune_core.rewards.spec import read

SCORE = "def score(prompts, completions, **columns):\n    return [1.0] * len(completions)\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, name, text):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def refused(spec, **settings):
    with pytest.raises(RewardError) as caught:
        resolve(spec, **settings)
    return caught.value


def call(function, *completions, **columns):
    return function(prompts=["?"] * len(completions), completions=list(completions), **columns)


def own_score(prompts, completions, **columns):
    return [0.5] * len(completions)


def test_functions_come_in_the_jobs_order_with_names_and_weights(here):
    write(here, "mine.py", SCORE)
    functions = resolve({"numeric_match": 1.0, "mine.py:score": -0.25, "length(target=2)": 0})
    assert [(function.name, function.weight) for function in functions] == [
        ("numeric_match", 1.0),
        ("score", -0.25),
        ("length", 0.0),
    ]
    assert [function.__name__ for function in functions] == ["numeric_match", "score", "length"]
    assert [call(function, "so 5", answer=["5"]) for function in functions] == [[1.0], [1.0], [1.0]]


def test_a_list_weighs_all_alike_and_may_hold_functions():
    functions = resolve(["format", own_score])
    assert [function.weight for function in functions] == [1.0, 1.0]
    assert call(functions[1], "text", completion_ids=[[1]]) == [0.5]


def test_one_name_or_one_function_or_none_is_enough():
    assert [function.name for function in resolve("format")] == ["format"]
    assert [function.name for function in resolve(own_score)] == ["own_score"]
    assert resolve(None) == ()


def test_what_a_job_holds_is_understood():
    job = Job(algorithm="grpo", model_name="m", dataset_name="d", reward_functions={"length(limit=5)": 2})
    assert resolve(job.reward_functions)[0].function == Length(limit=5)
    job = Job(algorithm="grpo", model_name="m", dataset_name="d", reward_functions=own_score)
    assert resolve(job.reward_functions)[0].function is own_score


def test_every_builtin_can_be_made_by_name():
    parameters = {"length": "(target=5)", "soft_overlong": "(max_completion_length=5)"}
    for name in BUILTINS:
        if name != "math_verify":
            assert resolve(name + parameters.get(name, ""))[0].name == name


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("numeric_match", "numeric_match", {}),
        (" numeric_match ", "numeric_match", {}),
        ("numeric_match()", "numeric_match", {}),
        ("length(target=50)", "length", {"target": 50}),
        ("length( limit = 300, unit = 'words' )", "length", {"limit": 300, "unit": "words"}),
        (r"format(pattern='a:b\\d, (c)')", "format", {"pattern": r"a:b\d, (c)"}),
        (r"format(pattern=r'.*\boxed\d')", "format", {"pattern": r".*\boxed\d"}),
        (r"format(pattern='\d+')", "format", {"pattern": r"\d+"}),
        ("exact_match(ignore_case=True,\n  column='x')", "exact_match", {"ignore_case": True, "column": "x"}),
        ("numeric_match(tolerance=-1e-3)", "numeric_match", {"tolerance": -0.001}),
    ],
)
def test_parameters_are_written_as_in_a_call(text, name, parameters):
    reference = read(text)
    assert (reference.name, reference.parameters) == (name, parameters)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("length(target=50", "put the whole text in double quotes"),
        ("length(50)", "only name=value"),
        ("length(target=__import__('os').getpid())", "only name=value"),
        ("length(target=a)", "only name=value"),
        ("length(**{'target': 5})", "only name=value"),
        ("length(target=5)(6)", "only name=value"),
        ("length(target=5) + (6)", "only name=value"),
        ("length(target=5, target=6)", "has a parameter twice"),
        (r"format(pattern='.*\boxed.*')", "Put an r before the text"),
        ("length(target=" + "(" * 300 + ")" * 300 + ")", "only name=value"),
        ("length(targt=5)", "no parameter 'targt'. Did you mean 'target'?"),
        ("length(target='x')", "not 'x'"),
        ("length", "a target or a limit"),
        ("numeric-match", "Did you mean 'numeric_match'?"),
        ("numeric_mtch", "Did you mean 'numeric_match'?"),
        ("zzz", "Known: exact_match, format, length, math_verify, numeric_match, soft_overlong."),
        ("mine.py", "Write mine.py:function"),
        ("mine.py:", "Write mine.py:function"),
        ("package.module.score", "write package.module:score"),
        (":score", "not written as one"),
        ("mine.py:1x", "not written as one"),
        ("", "not written as one"),
        ("mine.py:score(target=5)", "which only built-in ones take"),
        ("soft_overlong", "Set max_completion_length"),
    ],
)
def test_what_is_not_written_as_a_reward_function_is_explained(text, message):
    assert message in str(refused([text]))


@given(st.text() | st.text(alphabet="length(target=5)[]:./'\", *{}"))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(RewardError):
        read(text)


def test_the_jobs_completion_length_reaches_the_functions_that_need_it():
    function = resolve(["soft_overlong"], max_completion_length=10)[0]
    assert call(function, "a", completion_ids=[[0] * 9]) == [-0.5]
    own = resolve(["soft_overlong(max_completion_length=20)"], max_completion_length=10)[0]
    assert call(own, "a", completion_ids=[[0] * 10]) == [0.0]


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), "1", True, None])
def test_a_weight_that_is_no_finite_number_is_refused(weight):
    assert "must be a finite number" in str(refused({"format": weight, "numeric_match": 1.0}))


@pytest.mark.parametrize("spec", [[], {}, {"format": 0.0}, 5, [5], [None]])
def test_a_spec_that_rewards_nothing_or_is_of_another_kind_is_refused(spec):
    refused(spec)


def test_a_file_is_run_once_for_all_its_functions_and_anew_the_next_time(here):
    counted = "from pathlib import Path\nwith Path('runs').open('a') as file: file.write('x')\n"
    write(here, "mine.py", counted + SCORE + SCORE.replace("score", "other"))
    before = list(sys.path)
    resolve(["mine.py:score", "./mine.py:other"])
    assert (here / "runs").read_text() == "x"
    write(here, "mine.py", SCORE.replace("1.0", "0.25"))
    assert call(resolve(["mine.py:score"])[0], "a") == [0.25]
    assert sys.path == before


def test_a_file_may_hold_dataclasses_and_import_its_neighbours(here):
    write(here, "rewards/neighbour_of_mine.py", "BONUS = 0.75\n")
    write(
        here,
        "rewards/mine.py",
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from neighbour_of_mine import BONUS\n\n@dataclass\nclass Bonus:\n    value: float\n\n"
        "    def __call__(self, completions, **columns):\n        return [self.value] * len(completions)\n\n"
        "bonus = Bonus(BONUS)\n",
    )
    function = resolve(["rewards/mine.py:bonus"])[0]
    assert function.name == "bonus"
    assert call(function, "a") == [0.75]


def test_two_functions_of_one_name_are_told_apart(here):
    write(here, "a/mine.py", SCORE)
    write(here, "b/mine.py", SCORE.replace("1.0", "0.0"))
    functions = resolve(["a/mine.py:score", "b/mine.py:score", "format", "format(pattern='x')"])
    assert [function.name for function in functions] == ["score", "score_2", "format", "format_2"]
    assert [call(function, "a") for function in functions[:2]] == [[1.0], [0.0]]


@pytest.mark.parametrize(
    "spec", [["format", "format"], ["length(target=5)", "length( target=5 )"], [own_score, own_score]]
)
def test_a_function_named_twice_is_refused(spec):
    assert "named twice" in str(refused(spec))


UNFIT = """
import functools
LIMIT = 5
class Judge:
    async def __call__(self, completions, **columns): ...
async def judge(completions, **columns): ...
bound_judge = functools.partial(judge, a=1)
judging_object = Judge()
def narrow(prompts, completions, answer): ...
def positional(texts): ...
def with_tokens(prompts, completions, completion_ids): ...
"""


@pytest.mark.parametrize(
    ("spec", "messages"),
    [
        ("mine.py:scores", ["no reward function 'scores'", "Did you mean 'score'?"]),
        ("mine.py:zzz", ["no reward function 'zzz'", "Known: judge, narrow, positional, score, with_tokens."]),
        ("mine.py:score.zzz", ["no reward function 'score.zzz'"]),
        ("mien.py:score", ["no file 'mien.py'", "Did you mean 'mine.py'?"]),
        ("mine:score", ["no module 'mine'", "write mine.py:score"]),
        ("./mine:score", ["no file './mine'", "Did you mean 'mine.py'?"]),
        ("nowhere/mine.py:score", ["no folder 'nowhere'", "working directory"]),
        ("no_such_module:score", ["no module 'no_such_module'"]),
        ("no_such.module:score", ["no module 'no_such'"]),
        ("json.decoders:score", ["no module 'decoders' in 'json'", "Did you mean 'decoder'?"]),
        ("json.decoder:JSONDecodeErrors", ["module 'json.decoder' has no reward function"]),
        ("mine.py:LIMIT", ["'mine.py:LIMIT' is a int, not a function"]),
        ("mine.py:Judge", ["is a class", "Make an object of it"]),
        ("mine.py:judge", ["asynchronous"]),
        ("mine.py:bound_judge", ["asynchronous"]),
        ("mine.py:judging_object", ["asynchronous"]),
        ("mine.py:narrow", ["takes (prompts, completions, answer)", "end in **columns"]),
        ("mine.py:with_tokens", ["takes (prompts, completions, completion_ids)", "end in **columns"]),
        ("mine.py:positional", ["takes (texts)", "end in **columns"]),
    ],
)
def test_what_is_missing_or_unfit_is_named(here, spec, messages):
    write(here, "mine.py", UNFIT + SCORE)
    message = str(refused([spec]))
    for part in messages:
        assert part in message


@pytest.mark.parametrize(
    ("text", "cause", "messages"),
    [
        ("import json\n\njson.loads('{')\n", ValueError, ["JSONDecodeError", "(mine.py, line 3)"]),
        ("def make():\n    return 1 / 0\n\nmake()\n", ZeroDivisionError, ["ZeroDivisionError", "(mine.py, line 2)"]),
        ("import no_such_package\n", ModuleNotFoundError, ["no_such_package", "(mine.py, line 1)"]),
        ("x = 1\ndef score(:\n", SyntaxError, ["SyntaxError", "(mine.py, line 2)"]),
        ("raise SystemExit(3)\n", SystemExit, ["SystemExit: 3", "(mine.py, line 1)"]),
    ],
)
def test_a_file_that_fails_is_named_with_the_line_and_its_own_exception(here, monkeypatch, text, cause, messages):
    write(here, "mine.py", text)
    before = set(sys.modules)
    error = refused(["mine.py:score"])
    assert isinstance(error.__cause__, cause)
    assert not [name for name in set(sys.modules) - before if "mine" in name]
    for part in ["mine.py", *messages]:
        assert part in str(error)
    if cause is not SyntaxError:
        monkeypatch.syspath_prepend(here)
        monkeypatch.delitem(sys.modules, "mine", raising=False)
        error = refused(["mine:score"])
        assert isinstance(error.__cause__, cause)
        assert messages[-1] in str(error)


def test_an_installed_modules_function_is_found(here, monkeypatch):
    write(here, "some_rewards/__init__.py", "")
    write(here, "some_rewards/polite.py", SCORE + "class Kinds:\n    strict = staticmethod(score)\n")
    monkeypatch.syspath_prepend(here)
    functions = resolve(["some_rewards.polite:score", "some_rewards.polite:Kinds.strict"])
    assert [function.name for function in functions] == ["score", "Kinds.strict"]


def test_functions_without_a_name_of_their_own_get_one():
    nameless = lambda completions, **columns: [0.0] * len(completions)  # noqa: E731
    partial = functools.partial(own_score, strictness=3)
    assert [function.name for function in resolve([nameless, partial])] == ["lambda", "own_score"]


def test_the_rewards_need_nothing_but_the_standard_library():
    code = (
        "import sys, aligntune_core.rewards as r\n"
        "r.resolve(['numeric_match', 'format'])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & set(sys.argv[1:])))"
    )
    heavy = ["torch", "numpy", "transformers", "datasets", "trl", "pydantic", "sympy"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
