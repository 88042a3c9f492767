"""Backends are found by name, loaded one at a time, and none harms another."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from aligntune_core import Algorithm, BackendError, Capability
from aligntune_core.backends.backend import Status
from aligntune_core.backends.engines import ENGINES
from aligntune_core.backends.origins import install_command
from aligntune_core.backends.registry import Registry
from aligntune_core.backends.requirements import unmet_requirements
from aligntune_core.capabilities import CONTRACT_VERSION
from aligntune_core.check.decide import decide
from aligntune_core.run.launch import launch


def registry(*points, **environ):
    return Registry(entry_points=points, environ=environ)


def module_of(point):
    return sys.modules.get(point.value)


def test_names_are_listed_without_importing_a_plugin(plugin):
    points = [plugin("zeta"), plugin("acme"), plugin("trl"), plugin("broken", before="1 / 0\n")]
    known = registry(*points)
    assert known.names() == ["trl", "unsloth", "acme", "broken", "zeta"]
    assert not any(module_of(point) for point in points)


def test_only_the_plugin_that_is_asked_for_is_imported(plugin):
    trl, unsloth, acme = plugin("trl"), plugin("unsloth"), plugin("acme")
    backend = registry(trl, unsloth, acme).get("trl")
    assert (backend.status, backend.version, backend.reason) == (Status.READY, "3.1", "")
    assert module_of(trl)
    assert not module_of(unsloth)
    assert not module_of(acme)


def test_a_backend_is_found_once_and_kept(plugin):
    known = registry(plugin("acme"))
    assert known.get("acme") is known.get("acme")


def test_a_name_that_nobody_has_is_a_key_error(plugin):
    with pytest.raises(KeyError):
        registry(plugin("acme")).get("acm")


@pytest.mark.parametrize(
    ("asked", "found"), [("ACME", "Acme"), (" acme ", "Acme"), ("trl", "trl"), ("x", None), (3, None)]
)
def test_a_name_is_found_however_it_is_capitalised(plugin, asked, found):
    assert registry(plugin("Acme")).spelt(asked) == found


def test_two_names_that_differ_in_capitals_are_both_there(plugin):
    known = registry(plugin("acme"), plugin("ACME"))
    assert (known.spelt("acme"), known.spelt("ACME")) == ("acme", "ACME")


NO_INFO = "from aligntune_core import hookimpl\n@hookimpl\ndef aligntune_create_trainer(job, emit): ...\n"
INFO = NO_INFO + "@hookimpl\ndef aligntune_backend_info(): {}\n"
NO_TRAINER = """
from aligntune_core import BackendInfo, hookimpl
@hookimpl
def aligntune_backend_info():
    return BackendInfo(name="odd", summary="", contract=1, capabilities=())
"""
MISSPELT = "\nfrom aligntune_core import hookimpl\n@hookimpl\ndef aligntune_creat_trainer(job, emit): ...\n"
WRONG_ARGUMENT = "\nfrom aligntune_core import hookimpl\n@hookimpl\ndef aligntune_check_job(job, probes): ...\n"
ALGORITHMS = "\nfrom aligntune_core import hookimpl\n@hookimpl\ndef aligntune_algorithms(): {}\n"

BROKEN = {
    "fails": ({"before": "1 / 0\n"}, "can't be imported: ZeroDivisionError: division by zero"),
    "needs a module": ({"before": "import nowhere_at_all\n"}, "No module named 'nowhere_at_all'"),
    "is no Python": ({"source": "def (\n"}, "can't be imported: SyntaxError"),
    "exits": ({"before": "raise SystemExit(3)\n"}, "can't be imported: SystemExit: 3"),
    "exits unsaid": ({"before": "raise SystemExit\n"}, "can't be imported: SystemExit"),
    "exits in a hook": ({"source": INFO.format("raise SystemExit(4)")}, "SystemExit: 4"),
    "fails in a hook": ({"source": INFO.format("1 / 0")}, "ZeroDivisionError"),
    "returns nothing": ({"source": INFO.format("return")}, "returned NoneType"),
    "returns nonsense": ({"source": INFO.format("return 3")}, "returned int, not BackendInfo"),
    "has no information": ({"source": NO_INFO}, "has no aligntune_backend_info"),
    "makes no trainers": ({"source": NO_TRAINER}, "has no aligntune_create_trainer"),
    "is empty": ({"source": ""}, "has no aligntune_backend_info"),
    "is of another contract": (
        {"contract": CONTRACT_VERSION + 1},
        "needs version 3 of the contract; this core has 2: install a newer aligntune-core",
    ),
    "has another name": ({"calls_itself": "other"}, "calls itself 'other', but its entry point is 'odd'"),
    "misspells an argument": ({"after": WRONG_ARGUMENT}, "probes"),
    "has a row twice": (
        {
            "info": "import_order=(), conflicts=(), requirements=()",
            "source": None,
            "after": """
@hookimpl
def aligntune_backend_info():
    return BackendInfo(name="odd", summary="", contract=1, capabilities=(Capability("sft"), Capability("sft")))
""",
        },
        "more than one row for sft",
    ),
    "misspells an algorithm": (
        {
            "after": """
@hookimpl
def aligntune_backend_info():
    return BackendInfo(name="odd", summary="", contract=1, capabilities=(Capability("gropo"),))
"""
        },
        "a row for 'gropo', which is no algorithm. Did you mean 'grpo'?",
    ),
    "needs nonsense": ({"info": 'requirements=("torch>>2",)'}, "torch"),
    "needs one text": (
        {"info": 'requirements="torch>=2"'},
        "BackendInfo.requirements is 'torch>=2', not a tuple of str",
    ),
    "brings nonsense": (
        {"after": ALGORITHMS.format("return [3]")},
        "aligntune_algorithms gave a int, not an Algorithm",
    ),
    "brings one thing": ({"after": ALGORITHMS.format("return 3")}, "'int' object is not iterable"),
    "fails to bring": ({"after": ALGORITHMS.format("yield 1 / 0")}, "ZeroDivisionError"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_plugin_that_is_broken_harms_only_itself(plugin, fault):
    written, said = BROKEN[fault]
    known = registry(plugin("odd", **written), plugin("acme"), plugin("trl"))
    found = known.all()
    assert found["odd"].status is Status.BROKEN
    assert said in found["odd"].reason
    assert not found["odd"].reason.endswith(".")
    assert isinstance(found["odd"].cause, BaseException)
    assert [name for name, backend in found.items() if backend.ready] == ["trl", "acme"]
    assert known.hook(found["acme"], "aligntune_backend_info")().name == "acme"
    assert {algorithm.name for algorithm in known.algorithms(known.names())} >= {"sft", "dpo"}


def test_the_cause_of_a_broken_plugin_is_what_it_raised(plugin):
    assert isinstance(registry(plugin("odd", before="1 / 0\n")).get("odd").cause, ZeroDivisionError)


def test_control_c_is_not_a_fault_of_the_plugin(plugin):
    interrupted = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
    known = registry(plugin("odd", before=interrupted))
    with pytest.raises(KeyboardInterrupt, match="while backend 'odd' was imported"):
        known.get("odd")


def test_nor_is_it_lost_where_the_plugin_makes_something_else_of_it(plugin):
    swallowed = "import signal\ntry:\n    signal.raise_signal(signal.SIGINT)\nexcept BaseException:\n    {}\n"
    for what in ("pass", "raise SystemExit(3)", "raise ValueError"):
        with pytest.raises(KeyboardInterrupt, match="while backend 'odd' was imported"):
            registry(plugin("odd", before=swallowed.format(what))).get("odd")


def test_an_interruption_that_a_plugin_raises_itself_is_its_fault(plugin):
    backend = registry(plugin("odd", before="raise KeyboardInterrupt\n")).get("odd")
    assert (backend.status, type(backend.cause)) == (Status.BROKEN, KeyboardInterrupt)
    assert backend.reason.endswith("can't be imported: KeyboardInterrupt")


def test_an_entry_point_to_nothing_is_broken(plugin):
    point = plugin("acme")
    lost = EntryPoint("lost", f"{point.value}:nothing", point.group)
    gone = EntryPoint("gone", "no_such_module_anywhere", point.group)
    found = registry(point, lost, gone).all()
    assert (found["lost"].status, found["gone"].status) == (Status.BROKEN, Status.BROKEN)
    assert found["acme"].ready


def test_one_module_under_two_names_is_broken_under_one(plugin):
    point = plugin("acme")
    found = registry(point, EntryPoint("bolt", point.value, point.group)).all()
    assert found["acme"].ready
    assert found["bolt"].status is Status.BROKEN


def test_the_name_of_a_backend_of_this_project_belongs_to_it(plugin):
    real, evil = plugin("trl"), plugin("trl", distribution="evil-trl")
    found = registry(evil, real).all()
    assert found["trl"].ready
    assert found["trl [evil-trl]"].status is Status.BROKEN
    assert found["trl [evil-trl]"].reason == "the name 'trl' belongs to the distribution aligntune-trl"
    assert found["trl [evil-trl]"].install == "pip uninstall evil-trl"
    assert not module_of(evil)


def test_the_name_of_a_backend_of_this_project_is_not_free_where_it_is_not_installed(plugin):
    evil = plugin("unsloth", distribution="evil")
    known = registry(evil)
    assert known.get("unsloth").status is Status.MISSING
    assert known.all()["unsloth [evil]"].status is Status.BROKEN
    assert not module_of(evil)


@pytest.mark.parametrize("written", ["aligntune_trl", "AlignTune-TRL"])
def test_a_distribution_is_known_however_its_name_is_written(plugin, written):
    assert registry(plugin("trl", distribution=written)).get("trl").ready


def test_two_third_parties_with_one_name_are_both_refused(plugin):
    first, second = plugin("acme", distribution="acme-one"), plugin("acme", distribution="acme-two")
    backend = registry(first, second, plugin("trl")).get("acme")
    assert (backend.status, backend.reason) == (Status.BROKEN, "acme-one and acme-two both claim the name")
    assert backend.install.startswith("pip uninstall acme-")
    assert not module_of(first)
    assert not module_of(second)


def test_one_distribution_found_twice_is_one(plugin):
    point = plugin("acme")
    again = EntryPoint("acme", point.value, point.group)
    vars(again).update(dist=point.dist)
    assert registry(point, again).get("acme").ready


def test_what_jobs_mean_by_auto_is_no_backend(plugin):
    auto = plugin("auto")
    assert registry(auto).get("auto").status is Status.BROKEN
    assert not module_of(auto)


class NoMetadata:
    @property
    def name(self):
        raise FileNotFoundError("METADATA")


@pytest.mark.parametrize("dist", [None, NoMetadata(), SimpleNamespace(name=None, version=None)])
def test_a_half_removed_distribution_does_no_harm(plugin, dist):
    point = plugin("acme")
    vars(point).update(dist=dist)
    known = registry(point, plugin("trl"))
    assert known.get("acme").ready
    assert known.get("acme").version == ""
    assert known.get("trl").ready


def test_disabled_backends_are_not_imported(plugin):
    trl, acme = plugin("trl"), plugin("acme")
    known = registry(trl, acme, ALIGNTUNE_DISABLED_BACKENDS="acme, trl ,")
    assert {name: backend.status for name, backend in known.all().items()} == {
        "trl": Status.DISABLED,
        "acme": Status.DISABLED,
        "unsloth": Status.MISSING,
    }
    assert known.get("acme").reason == "ALIGNTUNE_DISABLED_BACKENDS names it"
    assert not module_of(trl)
    assert not module_of(acme)


def test_only_the_backends_named_are_allowed(plugin):
    trl, acme = plugin("trl"), plugin("acme")
    known = registry(trl, acme, ALIGNTUNE_ONLY_BACKENDS="acme")
    assert known.get("acme").ready
    assert known.get("trl").reason == "ALIGNTUNE_ONLY_BACKENDS does not name it"
    assert not module_of(trl)


def test_both_variables_hold(plugin):
    known = registry(plugin("acme"), ALIGNTUNE_ONLY_BACKENDS="acme", ALIGNTUNE_DISABLED_BACKENDS="acme")
    assert known.get("acme").status is Status.DISABLED


def test_a_known_backend_that_is_not_installed_says_how_to_install_it():
    backend = registry().get("unsloth")
    told = backend.to_dict()
    del told["standing"]
    assert told == {
        "status": "missing",
        "version": "",
        "reason": "aligntune-unsloth is not installed",
        "install": install_command(["aligntune-unsloth"]),
        "notes": [],
        "environment": "",
    }


def test_a_backend_whose_engine_is_missing_says_which_version_it_needs(plugin):
    needs = """requirements=(
        "pluggy>=1", "pluggy<1", "no-such-engine>=2; python_version>'3'", "other; python_version<'3'"
    )"""
    backend = registry(plugin("acme", info=f"{needs}, install='pip install acme'")).get("acme")
    assert backend.status is Status.MISSING
    assert "pluggy<1 (pluggy 1" in backend.reason
    assert "no-such-engine>=2" in backend.reason
    assert "(no-such-engine is not installed)" in backend.reason
    assert "pluggy>=1 " not in backend.reason
    assert "other" not in backend.reason
    assert backend.install == "pip install acme"


def test_a_pre_release_of_an_engine_is_good_enough(monkeypatch):
    monkeypatch.setattr("aligntune_core.backends.requirements.installed_version", lambda _name: "2.0.0rc1")
    assert unmet_requirements(["engine>=1,<3"]) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plugin_that_imports_an_engine_works_and_is_told_of(plugin, module_file, engine, monkeypatch):
    if engine in sys.modules:
        monkeypatch.delitem(sys.modules, engine)
    module_file(engine)
    known = registry(plugin("slow", before=f"import {engine}\n"), plugin("acme"))
    assert known.get("acme").reason == ""
    backend = known.get("slow")
    assert backend.ready
    assert backend.reason == f"importing its plugin imports {engine}, which makes every query slow"


def test_a_backend_can_be_registered_in_this_process(backends):
    known = backends("acme")
    assert known.get("acme").ready
    assert "acme" in known.names()


@pytest.mark.parametrize("name", ["acme", "trl", "auto"])
def test_a_name_that_is_taken_cannot_be_registered(backends, fake, name):
    with pytest.raises(BackendError, match="Choose another name"):
        backends("acme").register(name, fake(name))


def test_registering_what_breaks_the_contract_raises(backends, fake):
    known = backends()
    with pytest.raises(BackendError, match="calls itself 'other'"):
        known.register("acme", fake("other"))
    assert "acme" not in known.names()
    with pytest.raises(BackendError):
        known.register("acme", None)
    known.register("acme", fake("acme"))


def test_a_plugin_brings_an_algorithm(backends, fake):
    mine = Algorithm("mine", "Mine", "sft", "demonstrations", "here", aliases=("my_own",))
    known = backends("acme", fake("bolt", Capability("mine", features=["cpu", "full"]), algorithms=(mine,)))
    assert mine in known.algorithms(["bolt"])
    assert mine not in known.algorithms(["acme"])
    assert mine not in known.algorithms()


def test_a_hook_is_answered_by_the_backend_that_was_asked(backends, fake, job):
    greedy = fake("greedy")
    greedy.trainer = AssertionError("not for me")
    known = backends(greedy, "acme")
    verdict = decide(job(backend="acme"), backends=known)
    assert launch(verdict, on_event=lambda _event: None, backends=known)


def test_a_hook_that_this_core_does_not_know_breaks_nothing(plugin, job):
    later = "\nfrom aligntune_core import hookimpl\n@hookimpl\ndef aligntune_shear_sheep(job, flock): ...\n"
    known = registry(plugin("acme", after=MISSPELT), plugin("bolt", after=later))
    misspelt, unknown = (known.get(name).notes for name in ("acme", "bolt"))
    assert [(note.code, str(note.severity)) for note in (*misspelt, *unknown)] == [("backend-hook", "warning")] * 2
    message = "its plugin implements '{}', a hook that this core does not know and never calls"
    assert misspelt[0].message == message.format("aligntune_creat_trainer")
    assert misspelt[0].fix == "Did you mean 'aligntune_create_trainer'?"
    assert (unknown[0].message, unknown[0].fix) == (
        message.format("aligntune_shear_sheep"),
        "A later core may call it.",
    )
    assert all(known.get(name).ready for name in ("acme", "bolt"))
    (warning,) = decide(job(backend="acme"), backends=known).warnings
    assert warning.message == f"backend 'acme': {misspelt[0].message}."


@pytest.mark.parametrize(
    ("contract", "speaks", "said"),
    [
        ("1", (1, 1), ""),
        ("(1, 2)", (1, 1), ""),
        ("(1, 1)", (1, 3), ""),
        ("(2, 4)", (3, 3), ""),
        ("2", (1, 2), ""),
        ("(2, 3)", (1, 1), "needs version 2 of the contract; this core has 1: install a newer aligntune-core"),
        ("(1, 2)", (3, 4), "written for version 2 of the contract; this core speaks none before 3"),
    ],
)
def test_a_plugin_is_used_where_its_contract_and_the_core_s_have_a_version_in_common(
    plugin, monkeypatch, contract, speaks, said
):
    for name, version in zip(("OLDEST_CONTRACT", "CONTRACT_VERSION"), speaks, strict=True):
        monkeypatch.setattr(f"aligntune_core.backends.contract.{name}", version)
    found = registry(plugin("acme", contract=contract)).get("acme")
    assert found.ready == (not said), found.reason
    assert said in found.reason


def test_a_hook_or_an_argument_that_goes_is_told_of_before_it_goes(plugin):
    import pluggy

    spec = pluggy.HookspecMarker("aligntune")

    class Later:
        @spec(firstresult=True, warn_on_impl=DeprecationWarning("aligntune_shear goes in version 3: use x."))
        def aligntune_shear(self): ...

        @spec(
            firstresult=True,
            warn_on_impl_args={"rows": DeprecationWarning("the argument rows goes in version 3.")},
        )
        def aligntune_comb(self, job, rows): ...

    known = registry(
        plugin("acme", after="\n@hookimpl\ndef aligntune_shear(): ...\n@hookimpl\ndef aligntune_comb(rows): ...\n"),
        plugin("bolt", after="\n@hookimpl\ndef aligntune_comb(job): ...\n"),
    )
    known._plugins.manager.add_hookspecs(Later)
    assert [note.message for note in known.get("acme").notes] == [
        "its plugin is out of date: the argument rows goes in version 3",
        "its plugin is out of date: aligntune_shear goes in version 3: use x",
    ]
    assert known.get("acme").ready
    assert known.get("bolt").notes == ()
