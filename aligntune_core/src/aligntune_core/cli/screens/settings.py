"""One backend: how it stands here, and what a job may tell it in ``backend_args``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.backends.registry import registry
from aligntune_core.backends.settings import PLACE, all_settings
from aligntune_core.cli.screens.backends import backend_lines
from aligntune_core.console.ink import Ink
from aligntune_core.errors import AlignTuneError
from aligntune_core.jobs.schema import settings_schema
from aligntune_core.jobs.setting_words import setting_words
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from aligntune_core.jobs.setting_words import SettingWords


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
    backend = known.get(spelt)
    schemas: dict[str, Any] = {}
    models: dict[str, type[BaseModel]] = {}
    words: dict[type[BaseModel], list[SettingWords]] = {}
    failure = ""
    try:
        models = all_settings(backend, known)
        with contained(backend, "described its settings", through=()):
            schemas = {algorithm: settings_schema(model) for algorithm, model in models.items()}
            words = {model: [*setting_words(model)] for model in models.values()}
    except HookError as error:
        failure = error.message
    if json:
        from aligntune_core.console.json_text import write_json

        write_json({spelt: {**backend.to_dict(), "settings": schemas or None, "settings_failure": failure}})
        return
    ink = Ink(sys.stdout)
    failure = failure or ("" if backend.plugin else "not known without its plugin")
    lines = [*backend_lines(ink, spelt, whole=True), *_setting_lines(models, words, failure, ink)]
    sys.stdout.write("\n".join(lines).strip("\n") + "\n")


def _setting_lines(
    models: Mapping[str, type[BaseModel]],
    words: Mapping[type[BaseModel], Iterable[SettingWords]],
    failure: str,
    ink: Ink,
) -> Iterator[str]:
    yield ""
    yield ink.style(PLACE, "bold")
    if not words:
        yield ink.wrap(failure or "its plugin does not describe its settings: it checks them itself", "  ")
    for model, settings in words.items():
        algorithms = ", ".join(name for name, each in models.items() if each is model)
        yield ink.wrap(f"for {algorithms}", "    ", "  ")
        for each in settings:
            default = f"default: {each.default}" if each.default else "needed"
            yield ink.wrap(f"{each.name}: {each.takes} ({default})", "        ", "    ")
            if each.meaning:
                yield ink.wrap(each.meaning, "        ")
