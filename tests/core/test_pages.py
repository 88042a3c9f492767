"""The README and the documentation say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from aligntune import check, supports
from aligntune_core import hookspecs
from aligntune_core.backends.registry import registry
from aligntune_core.cli.main import main
from aligntune_core.job import Job
from aligntune_core.jobs.file import apply_overrides

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HERE = registry().get("trl").info is not None and registry().get("unsloth").info is not None


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not HERE, reason="the table needs both backends' plugins")
def test_the_support_matrix_in_the_readme_is_the_one_that_is_generated(capsys):
    with pytest.raises(SystemExit):
        main(["capabilities", "--markdown"])
    generated = capsys.readouterr().out
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    written = page.partition("<!-- capabilities -->\n")[2].partition("<!-- /capabilities -->")[0]
    assert written.strip() == generated.strip(), "run `aligntune capabilities --markdown` and paste it"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_job_file_on_a_page_is_a_job(page):
    for text in blocks(page, "yaml"):
        job = yaml.safe_load(text)
        if "algorithm" in job:
            verdict = check(**{**job, "backend": job.get("backend", "auto")})
            mine = [problem for problem in verdict.errors if not problem.code.startswith("backend")]
            assert not mine, mine


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_override_on_a_page_names_a_key(page):
    for text in blocks(page, "console"):
        for word in re.findall(r"\s([a-z_.]+=\S+)", re.sub(r"#.*", "", text)):
            (key,) = apply_overrides({}, [word])
            assert key in Job.model_fields, word


def test_every_key_is_described_and_documented():
    page = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")
    for key, field in Job.model_fields.items():
        assert field.description
        assert f"| `{key}` | {field.description.replace('|', '/')} |" in page, key


def test_every_hook_is_documented_with_its_arguments():
    page = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("aligntune_")}
    assert len(hooks) == 12
    for name, hook in hooks.items():
        arguments = ", ".join(hook.__code__.co_varnames[: hook.__code__.co_argcount])
        assert f"`{name}({arguments})`" in page


@pytest.mark.skipif(not HERE, reason="needs both backends' plugins")
def test_every_algorithm_is_documented():
    page = (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8")
    for algorithm in registry().algorithms():
        assert f"| `{algorithm.name}` |" in page
        assert algorithm.source in page
        assert supports("trl", algorithm.name)
