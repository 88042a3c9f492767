"""``aligntune quickstart`` around an engine that is a toy."""

import pytest

from aligntune_core.cli.commands import quickstart


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(quickstart, "JOB", {**quickstart.JOB, "backend": "toy", "max_steps": 4, "logging_steps": 1})
    asked = []

    def answers(trainer, prompts):
        asked.append(trainer)
        return [f"answer {len(asked)}" for _ in prompts]

    monkeypatch.setattr("aligntune_core.cli.commands.answers.answers", answers)


def test_it_shows_answers_before_and_after_and_the_loss(aligntune):
    said = aligntune("quickstart", "--output-dir", "out")
    assert said.code == 0, said.err
    assert said.out == ""
    assert said.err.count("before: answer 1") == len(quickstart.PROMPTS)
    assert said.err.count("after:  answer 2") == len(quickstart.PROMPTS)
    assert "4.000 █" in said.err
    assert "▁ 1.000" in said.err
    assert "in out." in said.err
    assert "aligntune train algorithm=dpo backend=toy model_name=out" in said.err


def test_json(aligntune):
    said = aligntune("quickstart", "--output-dir", "out", "--json")
    assert said.out.count("\n") == 1
    assert said.json["status"] == "ok"
    assert said.json["losses"] == [4.0, 2.0, pytest.approx(4 / 3), 1.0]
    assert said.json["answers"][0] == {"prompt": quickstart.PROMPTS[0], "before": "answer 1", "after": "answer 2"}


def test_what_it_proposes_next_is_a_job_that_can_run(aligntune):
    from pathlib import Path

    said = aligntune("quickstart", "--output-dir", "out")
    Path("out/config.json").write_text("{}", encoding="utf-8")
    (command,) = [line.split() for line in said.err.splitlines() if "algorithm=dpo" in line]
    assert aligntune("check", *command[2:]).code == 0
    assert aligntune("quickstart", "--output-dir", "rows.jsonl").code == 2
