"""What a plugin says of itself is the same after it was written as JSON and read; what is no record says why."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntune_core import Algorithm, BackendInfo, Capability, DatasetKind, Feature, ImportOrder, Reward, Support, Task
from aligntune_core.backends.recorded import Recorded, RecordError, differences, from_text, from_values, to_values
from aligntune_core.cli.screens.record import text_of
from aligntune_core.jobs.schema import settings_schema

ROOT = Path(__file__).parents[2]
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
TEXTS = st.text(max_size=12)
TUPLES = st.lists(TEXTS, max_size=3).map(tuple)
ROWS = st.builds(
    Capability,
    NAMES,
    st.sampled_from(Support),
    st.frozensets(st.sampled_from([*Feature, "fp8"])),
    st.text(min_size=1, max_size=12),
)
INFOS = st.builds(
    BackendInfo,
    name=TEXTS,
    summary=TEXTS,
    contract=st.just(1) | st.sampled_from([(1, 1), (1, 3), (2, 5)]),
    capabilities=st.lists(ROWS, max_size=4, unique_by=lambda row: row.algorithm).map(tuple),
    requirements=TUPLES,
    install=TEXTS,
    import_order=st.lists(st.builds(ImportOrder, TEXTS, TUPLES), max_size=2).map(tuple),
    conflicts=TUPLES,
    job_keys=st.none() | st.frozensets(TEXTS, max_size=3),
    constraints=TEXTS,
)
ALGORITHMS = st.builds(
    Algorithm,
    name=NAMES,
    title=TEXTS,
    task=st.sampled_from([*Task, "distillation"]),
    dataset=st.sampled_from([*DatasetKind, "teacher_answers"]),
    source=TEXTS,
    reward=st.sampled_from(Reward),
    aliases=st.lists(NAMES, max_size=2).map(tuple),
    needs=TUPLES,
)
SCHEMAS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=2), max_size=2)
RECORDS = st.builds(
    Recorded,
    INFOS,
    st.lists(ALGORITHMS, max_size=3, unique_by=lambda algorithm: algorithm.name).map(tuple),
    st.dictionaries(NAMES, SCHEMAS, max_size=3),
    st.none() | TUPLES,
)


@given(RECORDS)
def test_what_is_written_is_read_as_it_was(recorded):
    assert from_text(text_of(recorded)) == recorded
    assert from_values(to_values(recorded)) == recorded


@given(RECORDS)
def test_the_same_record_is_written_the_same(recorded):
    assert text_of(from_text(text_of(recorded))) == text_of(recorded)


@given(RECORDS, RECORDS)
def test_two_records_differ_where_something_is_named(one, other):
    assert differences(one, one) == []
    assert bool(differences(one, other)) == (one != other)


INFO = BackendInfo("acme", "Acme", 1, (Capability("sft"), Capability("dpo", features=("cpu",))))
OWN = Algorithm("own", "Own", Task.SFT, DatasetKind.DEMONSTRATIONS, "here")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"summary": "Other"}, ["'summary'"]),
        ({"requirements": ("torch",), "contract": (1, 2)}, ["'contract'", "'requirements'"]),
        ({"capabilities": (Capability("sft"), Capability("dpo"))}, ["the row for 'dpo'"]),
        ({"capabilities": (Capability("sft"), Capability("kto"))}, ["the row for 'dpo'", "the row for 'kto'"]),
        ({"capabilities": INFO.capabilities[::-1]}, ["the order of dpo, sft"]),
    ],
)
def test_what_differs_is_named(changed, named):
    values = {field: getattr(INFO, field) for field in BackendInfo.__dataclass_fields__}
    other = BackendInfo(**{**values, **changed})
    assert differences(Recorded(INFO), Recorded(other)) == named
    assert differences(Recorded(INFO), Recorded(INFO, (OWN,))) == ["the algorithm 'own'"]
    assert differences(Recorded(INFO), Recorded(INFO, hooks=())) == ["the hooks"]
    assert differences(Recorded(INFO), Recorded(INFO, (), {"sft": {"type": "object"}})) == ["the settings of 'sft'"]


def record(**changes):
    values = to_values(Recorded(INFO, (OWN,)))
    values["info"].update(changes)
    return values


ROW = {"algorithm": "sft"}
ODD = {
    "nothing": ("", "it is no JSON"),
    "half a file": (json.dumps(record())[:100], "it is no JSON"),
    "bytes that are no text": (b"\xff\xfe{}", "it is no JSON"),
    "too deep": ("[" * 100_000, "it is no JSON"),
    "a list": ([], "it has no 'format'"),
    "something else": ({"name": "acme"}, "it has no 'format'"),
    "a later format": ({"format": 2, "more": 1}, "it is in format 2, and this core reads format 1"),
    "an odd format": ({"format": True}, "it is in format True"),
    "more than there is": ({**record(), "settings!": 1}, "it has 'settings!', which format 1 does not"),
    "no information": ({"format": 1}, "info is None, not an object"),
    "information that is a text": ({"format": 1, "info": "acme"}, "info is 'acme', not an object"),
    "a key that there is not": (record(colour="red"), "unexpected keyword argument 'colour'"),
    "a name that is a number": (record(name=3), "'name' of info is 3, not a text"),
    "rows that are a text": (record(capabilities="sft"), "'info.capabilities' is 'sft', not a list"),
    "a row that is a text": (record(capabilities=["sft"]), "a row is 'sft', not an object"),
    "a row without its name": (record(capabilities=[{}]), "a row can't be read"),
    "a row that is misspelt": (record(capabilities=[{"algorithm": "S F T"}]), "write 's_f_t'"),
    "features that are one text": (record(capabilities=[{**ROW, "features": "cpu"}]), "'features' of a row is 'cpu'"),
    "support that there is not": (record(capabilities=[{**ROW, "support": "great"}]), "'great' is not a valid Support"),
    "requirements that are one text": (record(requirements="torch"), "'requirements' of info is 'torch', not a list"),
    "requirements that are numbers": (record(requirements=[1]), "not a tuple of str"),
    "keys that are one text": (record(job_keys="seed"), "'job_keys' of info is 'seed', not a list"),
    "keys that are lists": (record(job_keys=[["seed"]]), "info can't be read"),
    "a contract that is a text": (record(contract="1"), "BackendInfo.contract is '1'"),
    "a contract that is a switch": (record(contract=True), "BackendInfo.contract is True"),
    "a contract backwards": (record(contract=[2, 1]), "BackendInfo.contract is [2, 1]"),
    "an order that is a text": (record(import_order=["unsloth"]), "an order is 'unsloth', not an object"),
    "algorithms that are a text": ({**record(), "algorithms": "own"}, "'algorithms' is 'own', not a list"),
    "hooks that are a text": (
        {**record(), "hooks": "aligntune_diagnose"},
        "'hooks' is 'aligntune_diagnose', not a list",
    ),
    "settings that are a text": ({**record(), "settings": "none"}, "'settings' is 'none', not a list"),
    "settings of nothing": ({**record(), "settings": [{"schema": {}}]}, "'algorithms of settings' is None, not a list"),
    "settings that are no schema": (
        {**record(), "settings": [{"algorithms": ["sft"], "schema": 3}]},
        "the schema of settings is 3, not an object",
    ),
    "an algorithm that is a text": ({**record(), "algorithms": ["own"]}, "an algorithm is 'own', not an object"),
    "an alias that is a number": (
        {**record(), "algorithms": [{**record()["algorithms"][0], "aliases": [3]}]},
        "an algorithm can't be read",
    ),
}


@pytest.mark.parametrize("fault", ODD)
def test_what_is_no_record_says_why(fault):
    given, said = ODD[fault]
    with pytest.raises(RecordError) as refused:
        from_text(given if isinstance(given, str | bytes) else json.dumps(given))
    assert said in str(refused.value)


def test_what_an_older_record_does_not_say_is_as_it_is_by_default():
    values = {"format": 1, "info": {"name": "acme", "summary": "", "contract": 1, "capabilities": [ROW]}}
    assert from_values(values) == Recorded(BackendInfo("acme", "", 1, (Capability("sft"),)))


@pytest.mark.parametrize("name", ["trl", "unsloth"])
def test_the_file_that_a_backend_of_this_project_ships_is_what_its_plugin_says(name):
    package = f"aligntune_{name}"
    plugin = pytest.importorskip(f"{package}.plugin")
    file = Path(importlib.import_module(package).__file__).with_name("backend.json")
    brought = getattr(plugin, "aligntune_algorithms", tuple)()
    settings = getattr(plugin, "aligntune_settings", lambda _algorithm: None)
    info = plugin.aligntune_backend_info()
    models = {row.algorithm: settings(row.algorithm) for row in info.capabilities if row.support != "unsupported"}
    schemas = {algorithm: settings_schema(model) for algorithm, model in models.items() if model}
    hooks = tuple(sorted(name for name, member in vars(plugin).items() if hasattr(member, "aligntune_impl")))
    said = text_of(Recorded(info, tuple(brought), schemas, hooks))
    assert file.read_text(encoding="utf-8") == said, f"run `aligntune plugin export {name} -o {file.relative_to(ROOT)}`"
    entry = f'[project.entry-points."aligntune_core.backend_info"]\n{name} = "{package}:backend.json"\n'
    assert entry in (ROOT / package / "pyproject.toml").read_text(encoding="utf-8")
