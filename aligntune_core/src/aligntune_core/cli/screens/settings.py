"""One backend: how it stands here, and what a job may tell it in ``backend_args``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.hooks import HookError
from aligntune_core.backends.registry import registry
from aligntune_core.backends.settings import PLACE, all_schemas
from aligntune_core.cli.screens.backends import backend_lines
from aligntune_core.console.ink import Ink
from aligntune_core.errors import AlignTuneError
from aligntune_core.jobs.alike import alike
from aligntune_core.jobs.setting_words import setting_words
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def show(name: str, *, json: bool = False) -> None:
    """Write one backend's standing and its settings to standard output.

    Args:
        name: The backend's name.
        json: Write JSON, with the settings of each algorithm as JSON Schema.

    Raises:
        AlignTuneError: If there is no such backend.
    """
    known = registry()
    spelt = known.spelt(name)
    if spelt is None:
        raise AlignTuneError(f"there is no backend '{name}'.", fix=did_you_mean(name, known.names()))
    backend = known.declared(spelt)
    schemas: dict[str, dict[str, Any]] = {}
    failure = ""
    try:
        schemas = all_schemas(backend, known)
    except HookError as error:
        failure = error.message
    if json:
        from aligntune_core.console.json_text import write_json

        write_json({spelt: {**backend.to_dict(), "settings": schemas or None, "settings_failure": failure}})
        return
    ink = Ink(sys.stdout)
    failure = failure or ("" if backend.plugin or backend.info else "not known without its plugin")
    lines = [*backend_lines(ink, spelt, whole=True), *_setting_lines(schemas, failure, ink)]
    sys.stdout.write("\n".join(lines).strip("\n") + "\n")


def _setting_lines(schemas: Mapping[str, dict[str, Any]], failure: str, ink: Ink) -> Iterator[str]:
    yield ""
    yield ink.style(PLACE, "bold")
    if not schemas:
        yield ink.wrap(failure or "its plugin does not describe its settings: it checks them itself", "  ")
    for algorithms, schema in alike(schemas):
        yield ink.wrap(f"for {', '.join(algorithms)}", "    ", "  ")
        for each in setting_words(schema):
            default = f"default: {each.default}" if each.default else "needed"
            yield ink.wrap(f"{each.name}: {each.takes} ({default})", "        ", "    ")
            if each.meaning:
                yield ink.wrap(each.meaning, "        ")
