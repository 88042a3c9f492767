import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aligntune_core.errors import RewardError
from aligntune_core.rewards import MathVerify, problems, resolve


def test_without_math_verify_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "math_verify", None)
    with pytest.raises(RewardError, match=r"pip install 'math-verify"):
        resolve(["math_verify"])
    assert "pip install 'math-verify" in problems(["math_verify"])[0].fix


def one(completion, answer):
    pytest.importorskip("math_verify", reason="math-verify is not installed")
    return MathVerify()(prompts=["?"], completions=[completion], answer=[answer])[0]


@pytest.mark.parametrize(
    ("completion", "answer", "reward"),
    [
        (r"So \boxed{\frac{1}{2}}.", "0.5", 1.0),
        (r"So $x = \frac{2}{4}$.", r"\frac{1}{2}", 1.0),
        ("The answer is 1/2", r"$\frac{1}{2}$", 1.0),
        (r"So \boxed{2x+1}", "1+2x", 1.0),
        (r"So \boxed{2x+1}", "2x+2", 0.0),
        (r"So \boxed{1}", "2x+1", 0.0),
        (r"So \boxed{18}", "She sells 9 * 2 = 18 eggs\n#### 18", 1.0),
        (r"So \boxed{9}", "She sells 9 * 2 = 18 eggs\n#### 18", 0.0),
        (r"So \boxed{2x+1}", "Each is x and one is over\n#### 2x+1", 1.0),
        ("I don't know", "18", 0.0),
        ("", "18", 0.0),
        (r"\boxed{18", "18", 0.0),
    ],
)
def test_equal_expressions_are_rewarded(completion, answer, reward):
    assert one(completion, answer) == reward


def test_an_answer_without_an_expression_is_an_error_that_shows_it():
    with pytest.raises(RewardError, match="'Monday'"):
        one("5", "Monday")


def test_it_works_outside_the_main_thread():
    pytest.importorskip("math_verify", reason="math-verify is not installed")
    found = []
    thread = threading.Thread(target=lambda: found.append(one(r"\boxed{5}", "5")))
    thread.start()
    thread.join()
    assert found == [1.0]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="\\frac{}boxed$^_+-*/=()123xy ", max_size=40))
def test_any_text_gives_a_reward(text):
    assert one(text, "5") in (0.0, 1.0)
