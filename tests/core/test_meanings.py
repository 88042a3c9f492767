"""Plugins that bring algorithms live together: what clashes is refused by itself, told, and never decided by order."""

from __future__ import annotations

import pytest

from aligntune_core import Algorithm, AlignTuneError, Capability
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.queries import capabilities, find_backends, supports
from aligntune_core.check.decide import decide


def algorithm(name, task="sft", title="Its title", aliases=(), **other):
    return Algorithm(name, title, task, "demonstrations", "here", aliases=aliases, **other)


@pytest.fixture
def job(job):
    """The keys of a job whose rows suit every algorithm, as far as can be known without them."""
    return lambda **changes: job(dataset_name="org/data", **changes)


def row(name):
    return Capability(name, features=("full", "cpu"))


@pytest.fixture
def bolt(fake):
    """A backend ``bolt`` that trains sft and the algorithms it brings."""

    def make(*brought, name="bolt"):
        rows = dict.fromkeys(["sft", *(each.name for each in brought)])
        return fake(name, *map(row, rows), algorithms=brought)

    return make


def notes(known, name):
    return [note.message for note in known.all()[name].notes]


def test_the_core_s_own_algorithm_may_be_brought_too(backends, bolt, job):
    dpo = next(each for each in ALGORITHMS if each.name == "dpo")
    same = Algorithm("dpo", "In other words", dpo.task, dpo.dataset, "elsewhere", aliases=("direct",))
    known = backends(bolt(same))
    assert notes(known, "bolt") == []
    assert supports("bolt", "dpo", backends=known)
    assert decide(job(backend="bolt", algorithm="dpo"), backends=known).ok
    assert decide(job(backend="bolt", algorithm="direct"), backends=known).job.algorithm == "dpo"


def test_what_the_core_means_otherwise_is_refused_by_itself(backends, bolt, job):
    known = backends(bolt(algorithm("dpo"), algorithm("own")))
    (note,) = notes(known, "bolt")
    assert note == (
        "its algorithm 'dpo' is refused: 'dpo' is an algorithm of the core, and this one means something else: "
        "its task is 'sft', not 'preference'; its rows are 'demonstrations', not 'pairs'"
    )
    answer = supports("bolt", "dpo", backends=known)
    assert not answer
    assert "means something else: its task is 'sft', not 'preference'" in answer.reason
    (cell,) = capabilities(backend="bolt", algorithm="dpo", backends=known)
    assert (cell.support, cell.task) == ("unsupported", "preference")
    verdict = decide(job(backend="bolt", algorithm="dpo"), backends=known)
    assert [problem.code for problem in verdict.errors] == ["unsupported-algorithm"]
    assert "means something else" in verdict.errors[0].message
    assert [found.name for found in find_backends("dpo", backends=known)] == []
    for name in ("sft", "own"):
        assert supports("bolt", name, backends=known)
        assert decide(job(backend="bolt", algorithm=name), backends=known).ok


@pytest.mark.parametrize(("alias", "core"), [("dpo", "dpo"), ("sft", "sft"), ("drgrpo", "dr_grpo")])
def test_an_alias_that_the_core_has_is_refused_with_its_algorithm(backends, bolt, job, alias, core):
    known = backends(bolt(algorithm("own", aliases=(alias, "mine")), algorithm("other")))
    assert notes(known, "bolt") == [f"its algorithm 'own' is refused: its alias '{alias}' means the core's '{core}'"]
    assert not supports("bolt", "own", backends=known)
    assert supports("bolt", "other", backends=known)
    verdict = decide(job(backend="bolt", algorithm=alias), backends=known)
    assert verdict.job.algorithm == core
    assert decide(job(backend="bolt", algorithm="own"), backends=known).errors[0].code == "unsupported-algorithm"


def test_one_plugin_that_contradicts_itself_loses_those_rows_alone(backends, bolt):
    known = backends(bolt(algorithm("own"), algorithm("own", task="reward"), algorithm("ally", aliases=("own",))))
    assert "its plugin brings two algorithms of that name" in notes(known, "bolt")[0]
    assert "its alias 'own' also means 'own'" in notes(known, "bolt")[1]
    assert [bool(supports("bolt", name, backends=known)) for name in ("sft", "own", "ally")] == [True, False, False]


def test_two_plugins_may_bring_the_same(backends, bolt, job):
    known = backends(bolt(algorithm("knack")), bolt(algorithm("knack", title="Other words"), name="nut"))
    assert notes(known, "bolt") == notes(known, "nut") == []
    assert [found.name for found in find_backends("knack", backends=known)] == ["bolt", "nut"]
    assert decide(job(algorithm="knack"), backends=known).backend == "bolt"


@pytest.fixture(params=[False, True], ids=["in order", "the other way round"])
def apart(request, backends, bolt):
    """Two backends that mean different things by ``knack``, found in one order and in the other."""
    plugins = [bolt(algorithm("knack")), bolt(algorithm("knack", task="reward"), name="nut")]
    return backends(*(reversed(plugins) if request.param else plugins))


def test_a_name_that_means_two_things_means_what_the_named_backend_means(apart, job):
    for name, task in (("bolt", "sft"), ("nut", "reward")):
        assert supports(name, "knack", backends=apart)
        (cell,) = capabilities(backend=name, algorithm="knack", backends=apart)
        assert (cell.task, cell.support) == (task, "full")
        assert decide(job(backend=name, algorithm="knack"), backends=apart).ok
    told = [(cell.backend, cell.task) for cell in capabilities(algorithm="knack", backends=apart)]
    assert sorted(set(told)) == [("bolt", "sft"), ("nut", "reward")]
    assert [cell.backend for cell in capabilities(task="reward", backends=apart) if cell.algorithm == "knack"] == [
        "nut"
    ]


def test_it_is_refused_where_no_backend_is_named_and_told_of_both(apart, job):
    verdict = decide(job(algorithm="knack"), backends=apart)
    (problem,) = [each for each in verdict.errors if each.code == "ambiguous-algorithm"]
    assert str(problem) == (
        "'knack' means different things to the backends 'bolt' and 'nut'. Name the one that is meant with backend."
    )
    assert notes(apart, "bolt") == [
        "its algorithm 'knack' means something else to backend 'nut': its task is 'sft', not 'reward'"
    ]
    assert notes(apart, "nut") == [
        "its algorithm 'knack' means something else to backend 'bolt': its task is 'reward', not 'sft'"
    ]
    assert decide(job(algorithm="sft"), backends=apart).backend == "bolt"


@pytest.mark.parametrize("order", [1, -1])
def test_an_alias_never_takes_another_s_name(backends, bolt, job, order):
    plugins = [bolt(algorithm("zorp", aliases=("orpo",))), bolt(algorithm("orpo", task="reward"), name="nut")]
    known = backends(*plugins[::order])
    verdict = decide(job(algorithm="orpo"), backends=known)
    assert (verdict.backend, verdict.job.algorithm) == ("nut", "orpo")
    assert [found.name for found in find_backends("orpo", backends=known)] == ["nut"]
    assert notes(known, "bolt") == ["'orpo', its alias of 'zorp', is the name of 'orpo' to backend 'nut'"]
    assert notes(known, "nut") == ["'orpo', its name of 'orpo', is the alias of 'zorp' to backend 'bolt'"]


def test_what_an_alias_of_a_plugin_means_is_said(backends, bolt, job):
    known = backends(bolt(algorithm("zorp", aliases=("orpo",))))
    verdict = decide(job(algorithm="orpo", backend="bolt"), backends=known)
    assert verdict.ok
    (warning,) = verdict.warnings
    assert warning.message == "'orpo' is taken as 'zorp', which its backend also calls so."
    assert not decide(job(algorithm="Zorp", backend="bolt"), backends=known).warnings


def test_an_alias_of_two_things_is_refused_where_no_backend_is_named(backends, bolt, job):
    known = backends(
        bolt(algorithm("zorp", aliases=("z",))), bolt(algorithm("zeta", task="reward", aliases=("z",)), name="nut")
    )
    assert decide(job(algorithm="z"), backends=known).errors[0].code == "ambiguous-algorithm"
    assert {cell.algorithm for cell in capabilities(algorithm="z", backends=known)} == {"zorp", "zeta"}
    assert decide(job(algorithm="z", backend="nut"), backends=known).job.algorithm == "zeta"


def test_a_name_that_nobody_has_is_refused(apart):
    with pytest.raises(AlignTuneError, match="Did you mean 'knack'"):
        capabilities(algorithm="knak", backends=apart)
    assert "there is no algorithm 'knak'" in supports("bolt", "knak", backends=apart).reason
