"""However a plugin is broken: it is named with its cause by every command, and every other backend works."""

from __future__ import annotations

import json

import pytest
from conftest import JOB
from kinds import KINDS, WHOLE

GOOD = "acme"


@pytest.fixture(params=KINDS)
def kind(request, environment):
    """One way to be broken, installed beside a backend that is whole."""
    found = KINDS[request.param]
    module = f"plugin_odd_of_{environment.site.parent.name}"
    source = found.source or found.first.replace("{module}", module) + WHOLE.format(name="odd") + found.last
    environment.install("odd", source, found.name, found.point)
    environment.install(GOOD, WHOLE.format(name=GOOD))
    return found


def listed(found, kind):
    """The broken one as a listing has it."""
    (name,) = found.keys() - {GOOD, "trl", "unsloth"}
    assert name == kind.name or name.endswith(" [odd]")
    return found[name]


def told_of(backend):
    return " ".join([backend["reason"], *backend["notes"]])


def test_it_is_listed_with_its_cause_and_the_others_as_they_are(environment, kind):
    for words in (["backends"], ["capabilities"]):
        said = environment.run(*words, "--json")
        assert said.code == 0
        found = said.json if words == ["backends"] else said.json["backends"]
        odd = listed(found, kind)
        assert odd["status"] == ("ready" if kind.ready else "broken")
        assert kind.says in told_of(odd) or kind.ready
        assert found[GOOD]["status"] == "ready"
        assert found[GOOD]["reason"] == ""
        assert found[GOOD]["notes"] == []
        plain = environment.run(*words)
        assert plain.code == 0
        assert kind.says in plain.text or words == ["capabilities"]
        assert plain.out.isprintable() or set("".join(filter(lambda c: not c.isprintable(), plain.out))) == {"\n"}
        assert len(plain.out) < 20_000
    rows = {(row["algorithm"], row["support"]) for row in said.json["capabilities"] if row["backend"] == GOOD}
    assert ("sft", "full") in rows


def test_the_doctor_names_it_and_finds_the_others_well(environment, kind):
    said = environment.run("doctor", "--offline", "--json")
    assert said.code == 0
    assert GOOD in said.json["can_train"]
    findings = [each for each in said.json["findings"] if "odd" in each["subject"] or kind.name in each["message"]]
    odd = [f"{each['message']} {each['fix']}" for each in findings]
    assert (kind.diagnosed or kind.says) in " ".join(odd)
    plain = environment.run("doctor", "--offline")
    assert plain.code == 0
    assert (kind.diagnosed or kind.says) in plain.text


@pytest.mark.usefixtures("kind")
def test_another_backend_that_is_named_never_meets_it(environment):
    for words in (["check", "--fast"], ["check"], ["train"]):
        said = environment.run(*words, f"backend={GOOD}", *JOB, "--json")
        assert said.code == 0
        assert said.json["backend"] == GOOD
        assert "odd" not in said.out
        assert not environment.is_imported("odd")
    for words in (["check", "--fast"], ["train"]):
        said = environment.run(*words, f"backend={GOOD}", *JOB)
        assert said.code == 0
        assert "odd" not in said.text
    said = environment.run("capabilities", "--backend", GOOD, "--json")
    assert set(said.json["backends"]) == {GOOD}
    assert not environment.is_imported("odd")


def test_where_none_is_named_the_other_is_taken(environment, kind):
    said = environment.run("check", "--fast", *JOB, "--json")
    assert (said.code, said.json["backend"]) == (0, GOOD)
    if not kind.ready:
        assert kind.says in listed({**said.json["rejected"], GOOD: ""}, kind)
    plain = environment.run("check", "--fast", *JOB)
    assert plain.code == 0
    assert kind.says in plain.text or kind.ready


def test_a_check_that_names_it_says_what_is_wrong(environment, kind):
    if not listed_by_name(kind):
        return
    for words in (["check", "--fast"], ["check"]):
        said = environment.run(*words, f"backend={kind.name}", *JOB, "--json")
        messages = " ".join(f"{problem['message']} {problem['fix']}" for problem in said.json["problems"])
        assert (kind.says if kind.checked is None else kind.checked) in messages
        assert said.code == (2 if failing(said.json) else 0)
        assert kind.ready or said.code == 2
        plain = environment.run(*words, f"backend={kind.name}", *JOB)
        assert plain.code == said.code
        assert " ".join(messages.split())[:60] in plain.text or not messages


def failing(verdict):
    return any(problem["severity"] == "error" for problem in verdict["problems"])


def listed_by_name(kind):
    """Whether a job may name it: none means a plugin by a name that no plugin may have."""
    return kind.name == "odd"


def test_a_job_that_names_it_is_trained_or_refused(environment, kind):
    if not listed_by_name(kind):
        return
    said = environment.run("train", f"backend={kind.name}", *JOB, "--json")
    told = json.loads(said.out)
    assert said.out.count("\n") == 1
    if kind.ready and kind.trains:
        assert (said.code, told["status"]) == (0, "ok")
    else:
        assert said.code in {1, 2}
        assert told["status"] in {"failed", "refused"}
        assert "Traceback" not in said.err
