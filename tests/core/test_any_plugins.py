"""Any mix of plugins in any order: each gives the same answers as alone, and none changes another's."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aligntune_core import Algorithm, AlignTuneError, BackendInfo, Capability, hookimpl
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.queries import capabilities, find_backends, supports
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide

FREELY = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
NAMES = ("acme", "bolt", "cog", "trl_like", "zeta")
WORDS = ("own", "knack", "zorp", "orpo", "sft", "dpo", "drgrpo")
"""Names and aliases of algorithms, few, so that they clash: some are the core's."""


@dataclass(frozen=True)
class Plugin:
    """A plugin that is well formed, whatever it brings."""

    name: str
    rows: tuple[Capability, ...]
    algorithms: tuple[Algorithm, ...]

    @hookimpl
    def aligntune_backend_info(self):
        return BackendInfo(self.name, "A backend", 1, self.rows)

    @hookimpl
    def aligntune_algorithms(self):
        return self.algorithms

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        raise NotImplementedError


@dataclass(frozen=True)
class Point:
    """The entry point of a plugin that needs no module."""

    plugin: Plugin
    loaded: list[str]
    dist: None = None

    @property
    def name(self):
        return self.plugin.name

    value = "a module"

    def load(self):
        self.loaded.append(self.name)
        return self.plugin


algorithms = st.builds(
    lambda name, task, aliases: Algorithm(name, name, task, "demonstrations", "here", aliases=tuple(aliases)),
    st.sampled_from(WORDS[:-1]),
    st.sampled_from(["sft", "reward"]),
    st.lists(st.sampled_from(WORDS), max_size=2, unique=True),
)


@st.composite
def plugin_of(draw, name):
    brought = draw(st.lists(algorithms, max_size=3))
    rows = dict.fromkeys([*(each.name for each in brought), *draw(st.sets(st.sampled_from(["sft", "dpo", "kto"])))])
    features = draw(st.sampled_from([("full", "cpu"), ("lora", "cpu"), ("full", "lora", "cpu", "cuda")]))
    return Plugin(name, tuple(Capability(each, features=features) for each in rows), tuple(brought))


@st.composite
def mixes(draw):
    """Plugins, and the same in another order."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    plugins = [draw(plugin_of(name)) for name in names]
    return plugins, draw(st.permutations(plugins))


def registry_of(plugins, loaded=None):
    return Registry([Point(plugin, [] if loaded is None else loaded) for plugin in plugins], environ={})


def job(**keys):
    return {"model_name": "org/model", "dataset_name": "org/data", "output_dir": "out", **keys}


def named_answers(known, name):
    """All that is answered to who names a backend."""
    told = {}
    for word in (*WORDS, "kto", "none"):
        answer = supports(name, word, backends=known)
        verdict = decide(job(backend=name, algorithm=word), backends=known)
        told[word] = (answer.yes, answer.reason, verdict.ok, [str(problem) for problem in verdict.problems])
        told[word] += (verdict.job.algorithm,)
    told["rows"] = [row.to_dict() for row in capabilities(backend=name, backends=known)]
    return json.dumps(told)


def open_answers(known):
    """All that is answered to who names no backend."""
    told = {}
    for word in (*WORDS, "kto", "none"):
        try:
            told[word] = [(each.name, each.usable, each.reason) for each in find_backends(word, backends=known)]
            told[f"{word} rows"] = [row.to_dict() for row in capabilities(algorithm=word, backends=known)]
        except AlignTuneError as error:
            told[word] = str(error)
        verdict = decide(job(algorithm=word), backends=known)
        told[f"{word} job"] = (verdict.backend, verdict.job.algorithm, [str(problem) for problem in verdict.problems])
    told["rows"] = [row.to_dict() for row in capabilities(backends=known)]
    told["standing"] = {
        name: (each.status, each.reason, sorted(note.message for note in each.notes))
        for name, each in known.all().items()
    }
    return json.dumps(told)


@FREELY
@given(mixes())
def test_a_backend_that_is_named_answers_as_if_it_were_alone(mix):
    plugins, _ = mix
    for plugin in plugins:
        loaded = []
        assert named_answers(registry_of(plugins, loaded), plugin.name) == named_answers(
            registry_of([plugin]), plugin.name
        )
        assert loaded == [plugin.name]


@FREELY
@given(mixes())
def test_it_answers_so_whoever_was_asked_before(mix):
    plugins, others = mix
    known = registry_of(plugins)
    open_answers(known)
    for plugin in others:
        assert named_answers(known, plugin.name) == named_answers(registry_of([plugin]), plugin.name)


@FREELY
@given(mixes())
def test_the_order_in_which_plugins_are_found_and_asked_changes_no_answer(mix):
    plugins, others = mix
    asked_first = registry_of(others)
    for plugin in others:
        asked_first.get(plugin.name)
    assert open_answers(registry_of(plugins)) == open_answers(registry_of(others)) == open_answers(asked_first)


@FREELY
@given(mixes())
def test_no_plugin_is_broken_by_another_and_each_clash_is_told(mix):
    plugins, _ = mix
    known = registry_of(plugins)
    found = known.all()
    assert all(found[plugin.name].ready for plugin in plugins)
    core = {each.name: (each.task, each.dataset) for each in ALGORITHMS}
    for plugin in plugins:
        notes = " ".join(note.message for note in found[plugin.name].notes)
        for algorithm in plugin.algorithms:
            if algorithm.name in core and (algorithm.task, algorithm.dataset) != core[algorithm.name]:
                assert f"its algorithm '{algorithm.name}' is refused" in notes
                assert not supports(plugin.name, algorithm.name, backends=known)
            others = [each for other in plugins if other is not plugin for each in other.algorithms]
            differs = any(each.name == algorithm.name and each.task != algorithm.task for each in others)
            if differs and algorithm.name not in core:
                assert f"'{algorithm.name}' means something else to backend" in notes


@FREELY
@given(mixes())
def test_queries_and_checks_agree(mix):
    plugins, _ = mix
    known = registry_of(plugins)
    for plugin in plugins:
        for row in capabilities(backend=plugin.name, backends=known):
            trains = bool(supports(plugin.name, row.algorithm, "full", "cpu", backends=known))
            verdict = decide(job(backend=plugin.name, algorithm=row.algorithm), backends=known)
            refused = {"unsupported-algorithm", "unsupported-feature"} & {each.code for each in verdict.errors}
            assert trains is not bool(refused)
            assert trains == (row.support != "unsupported" and {"full", "cpu"} <= set(row.features))
