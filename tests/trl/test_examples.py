"""Every example on a page passes a check and trains."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from aligntune import check, create_trainer
from aligntune_core.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language):
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL), 1):
            yield pytest.param(block, id=f"{page.stem}-{number}")


def jobs():
    for block in blocks("yaml"):
        job = yaml.safe_load(block.values[0])
        if "algorithm" in job:
            yield pytest.param(job, id=block.id)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("code", list(blocks("python")))
def test_python_runs_as_written(code):
    exec(compile(code, "page", "exec"), {"__name__": "page"})


@pytest.mark.parametrize("job", list(jobs()))
def test_a_job_file_passes_a_check_and_trains(job):
    verdict = check(**job)
    assert verdict.ok, verdict.problems
    result = create_trainer(**job).train()
    assert result.steps == verdict.examination.plan.steps


def commands():
    for block in blocks("console"):
        for line in block.values[0].splitlines():
            words = shlex.split(line, comments=True)
            makes = words[1:2] == ["env"] and "--dry-run" not in words  # minutes long, and tried elsewhere
            if words[:1] == ["aligntune"] and words[1] not in {"quickstart", "train"} and not makes:
                yield pytest.param(words[1:], id=" ".join(words[1:]))


@pytest.mark.parametrize("words", list(commands()))
def test_a_command_does_what_it_says(words, capsys):
    job = next(jobs()).values[0]
    Path("job.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    words = words[: words.index(">")] if ">" in words else words
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert said.out
    assert "Traceback" not in said.out + said.err
    if words[0] != "doctor":  # which says what is wrong with the machine that it is run on
        assert ended.value.code == 0, said


def test_there_are_examples():
    assert len(list(blocks("python"))) >= 4
    assert len(list(jobs())) >= 1
    assert len(list(commands())) >= 10
