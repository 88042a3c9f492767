"""What keeps a backend from being used here is told apart."""

from __future__ import annotations

import sys

import pytest

from aligntune_core import Capability
from aligntune_core.backends.backend import KNOWN_BACKENDS, QUESTIONS
from aligntune_core.backends.queries import find_backends
from aligntune_core.backends.registry import Registry

TABLE = """
_old = aligntune_backend_info
@hookimpl
def aligntune_backend_info():
    return BackendInfo({name!r}, "", 1, (Capability("sft", features={features}),), requirements={requirements})
"""


@pytest.fixture
def standing(plugin):
    """How a backend of an installed distribution stands, by question: yes or no, and why."""

    def make(name="acme", *, features=("cpu", "cuda"), requirements=(), environ=None, point=None, **written):
        if not written:
            written = {"after": TABLE.format(name=name, features=features, requirements=requirements)}
        point = point or plugin(name, **written)
        backend = Registry(entry_points=[point], environ=environ or {}).get(name)
        return {each.question: (each.yes, each.reason) for each in backend.standing}

    return make


def test_what_is_ready_says_what_it_runs_on(standing, monkeypatch):
    monkeypatch.setattr("aligntune_core.backends.requirements.installed_version", {"engine": "2.5"}.get)
    assert standing(requirements=("engine>=2", "engine<3", "engine-for-windows; sys_platform == 'win32'")) == {
        "installed": (True, "acme-dist 3.1"),
        "plugin": (True, "it keeps the contract"),
        "engine": (True, "engine 2.5"),
        "device": (True, "it trains on a CPU and on a CUDA GPU"),
    }
    assert standing("bolt")["engine"] == (True, "it needs no package")


@pytest.mark.parametrize("name", KNOWN_BACKENDS)
def test_not_installed(name):
    backend = Registry(entry_points=[], environ={}).get(name)
    unknown = "not known without its plugin"
    assert [(each.question, each.yes, each.reason) for each in backend.standing] == [
        ("installed", False, f"aligntune-{name} is not installed"),
        ("plugin", None, "not known while it is not installed"),
        ("engine", None, unknown),
        ("device", None, unknown),
    ]


def test_a_plugin_that_can_not_be_imported(standing):
    told = standing(before="import no_such_library\n")
    assert told["installed"] == (True, "acme-dist 3.1")
    yes, reason = told["plugin"]
    assert yes is False
    assert "ModuleNotFoundError: No module named 'no_such_library'" in reason
    assert (told["engine"][0], told["device"][0]) == (None, None)


def test_a_plugin_of_another_contract(standing):
    yes, reason = standing(contract=99)["plugin"]
    assert yes is False
    assert reason.startswith("its plugin needs version 99 of the contract; this core has 2: install a newer aligntune")


def test_an_engine_that_is_not_there(standing):
    told = standing(requirements=("pluggy<1", "no-such-engine>=2"))
    assert told["plugin"][0] is True
    yes, reason = told["engine"]
    assert yes is False
    assert reason.startswith("it needs pluggy<1 (pluggy 1")
    assert reason.endswith("no-such-engine>=2 (no-such-engine is not installed)")


@pytest.mark.parametrize(
    ("features", "here", "told"),
    [
        (("cuda",), "cpu", (False, "it trains on a CUDA GPU only, and none is here")),
        (("cuda",), "cuda", (True, "a CUDA GPU is here")),
        (("cpu",), "cpu", (True, "a CPU is here")),
        (("cpu",), "cuda", (False, "it trains on a CPU only, and jobs run on the CUDA GPU here")),
        (("lora",), "cpu", (False, "it declares no algorithm on a CPU or a CUDA GPU")),
    ],
)
def test_the_device(standing, monkeypatch, features, here, told):
    monkeypatch.setattr("aligntune_core.machine.devices.device", lambda: here)
    assert standing(features=features)["device"] == told


def test_the_device_counts_for_algorithms_that_are_supported(backends, fake):
    rows = Capability("sft", features=["cuda"]), Capability("dpo", "unsupported", ["cpu"], "never")
    device = backends(fake("acme", *rows)).get("acme").standing[-1]
    assert (device.question, device.yes) == ("device", False)


def test_the_machine_is_only_looked_at_where_it_matters(standing, monkeypatch):
    def look():
        raise AssertionError("a query has no time for this")

    monkeypatch.setattr("aligntune_core.machine.devices.device", look)
    assert standing()["device"][0] is True


@pytest.mark.parametrize(
    ("variable", "named"), [("ALIGNTUNE_DISABLED_BACKENDS", "acme"), ("ALIGNTUNE_ONLY_BACKENDS", "bolt")]
)
def test_a_disabled_backend_is_installed_and_not_imported(standing, plugin, variable, named):
    point = plugin("acme", before="1 / 0\n")
    told = standing(point=point, environ={variable: named})
    assert told["installed"] == (True, "acme-dist 3.1")
    yes, reason = told["plugin"]
    assert yes is None
    assert variable in reason
    assert point.value not in sys.modules


def test_a_disabled_backend_that_is_not_installed():
    backend = Registry(entry_points=[], environ={"ALIGNTUNE_DISABLED_BACKENDS": "trl"}).get("trl")
    assert backend.standing[0].yes is False
    assert backend.standing[0].reason == "aligntune-trl is not installed"


def test_a_backend_of_this_process(backends):
    assert backends("acme").get("acme").standing[0].reason == "this process"


def test_a_name_that_two_distributions_claim(plugin):
    points = [plugin("acme", distribution="one"), plugin("acme", distribution="two")]
    installed, loaded, *_ = Registry(entry_points=points, environ={}).get("acme").standing
    assert (installed.yes, installed.reason) == (True, "one 3.1 and two 3.1")
    assert (loaded.yes, loaded.reason) == (False, "one and two both claim the name")


def test_a_distribution_that_took_a_taken_name(plugin):
    found = Registry(entry_points=[plugin("trl", distribution="evil-trl")], environ={}).all()
    assert [each.yes for each in found["trl"].standing] == [False, None, None, None]
    assert [each.yes for each in found["trl [evil-trl]"].standing] == [True, False, None, None]


@pytest.mark.parametrize("here", ["cpu", "cuda"])
def test_all_is_yes_exactly_where_something_can_be_trained(backends, fake, monkeypatch, here):
    for module in ("check.decide", "machine.devices"):
        monkeypatch.setattr(f"aligntune_core.{module}.device", lambda: here)
    known = backends(
        fake("both"),
        fake("gpu", Capability("sft", features=["cuda"])),
        fake("no_gpu", Capability("sft", features=["cpu"])),
        fake("nothing", Capability("sft", "unsupported", ["cpu", "cuda"], "never")),
        fake("nowhere", Capability("sft", features=["lora"])),
        fake("needy", Capability("sft", features=["cpu", "cuda"]), requirements=("nowhere>=2",)),
    )
    whole = [name for name, backend in known.all().items() if all(each.yes for each in backend.standing)]
    assert whole == [found.name for found in find_backends(usable=True, backends=known)]
    assert whole == (["both", "no_gpu"] if here == "cpu" else ["both", "gpu"])


def test_programs_read_it_by_question(backends):
    told = backends("acme").get("acme").to_dict()["standing"]
    assert list(told) == list(QUESTIONS)
    assert told["device"] == {"yes": True, "reason": "it trains on a CPU and on a CUDA GPU"}
