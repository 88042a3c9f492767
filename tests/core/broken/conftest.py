"""An environment with two backends: one that is whole, and one that is broken in one way."""

from __future__ import annotations

import json
import locale
import os
import signal
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aligntune_core.backends import registry as plugins
from aligntune_core.cli.main import main

sys.path.insert(0, str(Path(__file__).parent))

JOB = ("algorithm=sft", "model_name=model", "dataset_name=rows.jsonl", "output_dir=out")


@dataclass
class Said:
    """What a command said.

    Args:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def text(self):
        """All of it, however its lines were broken."""
        return " ".join((self.out + " " + self.err).split())


def state():
    """What a command leaves as it was."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    return {
        "folder": str(Path.cwd()),
        "variables": dict(os.environ),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        # the command line's own library sets one too
        "hooks": (getattr(sys.excepthook, "__module__", "") in {"sys", "typer.main"}, sys.displayhook),
        "signals": [signal.getsignal(each) for each in signals],
        "path": list(sys.path),
        "limit": sys.getrecursionlimit(),
        "filters": [each for each in warnings.filters if each[0] == "error"],
        "locale": locale.setlocale(locale.LC_NUMERIC),
    }


@dataclass
class Environment:
    """Where plugins are installed.

    Args:
        site: The folder of modules and distributions.
        capture: What takes what is written.
        modules: The modules of plugins, by the names of their distributions.
    """

    site: Path
    capture: object
    modules: dict[str, str] = field(default_factory=dict)

    def install(self, distribution, source, name=None, point=""):
        """Install a plugin as a distribution of its own."""
        module = f"plugin_{distribution}_of_{self.site.parent.name}"
        self.modules[distribution] = module
        (self.site / f"{module}.py").write_bytes(source if isinstance(source, bytes) else source.encode())
        info = self.site / f"{distribution}-1.0.dist-info"
        info.mkdir()
        value = point.replace("{module}", module) or module
        text = f"[aligntune_core.backends]\n{name or distribution} = {value}\n"
        (info / "entry_points.txt").write_text(text, encoding="utf-8")

    def is_imported(self, distribution):
        return self.modules[distribution] in sys.modules

    def run(self, *words):
        """Run the program as in a process of its own, as far as plugins go."""
        for module in self.modules.values():
            sys.modules.pop(module, None)
        plugins.registry.cache_clear()
        was = state()
        self.capture.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(words))
        out, err = self.capture.readouterr()
        now = state()
        # what was added at its end hides nothing
        now["path"] = now["path"][: len(was["path"])]
        assert now == was
        return Said(end.value.code, out, err)


@pytest.fixture
def environment(tmp_path, monkeypatch, capfd):
    """An environment whose only backends are those that a test installs, in a folder with a model and rows."""
    for module in ("check.decide", "machine.devices"):
        monkeypatch.setattr(f"aligntune_core.{module}.device", lambda: "cpu")
    for name in ("COLUMNS", "NO_COLOR", "ALIGNTUNE_ONLY_BACKENDS", "ALIGNTUNE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALIGNTUNE_DISABLED_BACKENDS", "trl,unsloth")
    # what the doctor finds in packages has nothing to do with plugins, and takes long
    monkeypatch.setattr("aligntune_core.doctor.look.package_findings", lambda *_: [])
    monkeypatch.setattr("aligntune_core.doctor.look._device_findings", lambda *_: [])
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("model/config.json").write_text("{}", encoding="utf-8")
    rows = [{"instruction": f"Say {n}", "input": "", "output": f"{n}"} for n in range(8)]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    made = Environment(site, capfd)
    yield made
    plugins.registry.cache_clear()
    for module in made.modules.values():
        sys.modules.pop(module, None)
