"""One backend: how it stands here, and what a job may tell it in ``backend_args``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.backends.job_keys import job_keys_of
from aligntune_core.backends.registry import registry
from aligntune_core.backends.settings import PLACE, all_settings
from aligntune_core.cli.screens.backends import backend_lines
from aligntune_core.console.ink import Ink
from aligntune_core.errors import AlignTuneError
from aligntune_core.jobs.schema import settings_schema
from aligntune_core.jobs.setting_words import setting_words
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry
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
    told = _told(backend, known)
    if json:
        from aligntune_core.console.json_text import write_json

        described = {"settings": told.settings, "job_keys": told.job_keys, "settings_failure": told.failure}
        write_json({spelt: {**backend.to_dict(), **described}})
        return
    ink = Ink(sys.stdout)
    lines = [*backend_lines(ink, spelt, whole=True), *_lines(told, ink)]
    sys.stdout.write("\n".join(lines).strip("\n") + "\n")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a backend says of its settings and of the job keys that it brings.

    Args:
        settings: The settings of each algorithm as JSON Schema; None where it says nothing.
        job_keys: The job keys likewise.
        sections: Both in words, each under a title.
        failure: Why it is not known what it says.
    """

    settings: dict[str, Any] | None = None
    job_keys: dict[str, Any] | None = None
    sections: tuple[tuple[str, tuple[SettingWords, ...]], ...] = ()
    failure: str = ""


def _told(backend: Backend, known: Registry) -> _Told:
    try:
        models, keys = all_settings(backend, known), job_keys_of(backend, known)
        with contained(backend, "described its settings", through=()):
            sections = [
                (f"{PLACE} for {', '.join(name for name, each in models.items() if each is model)}", model)
                for model in dict.fromkeys(models.values())
            ]
            sections += [("job keys of its own", keys)] if keys else []
            return _Told(
                {name: settings_schema(model) for name, model in models.items()} or None,
                settings_schema(keys) if keys else None,
                tuple((title, tuple(setting_words(model))) for title, model in sections),
                "" if backend.plugin else "not known without its plugin",
            )
    except HookError as error:
        return _Told(failure=error.message)


def _lines(told: _Told, ink: Ink) -> Iterator[str]:
    if not told.settings:
        yield ""
        yield ink.style(PLACE, "bold")
        yield ink.wrap(told.failure or "its plugin does not describe its settings: it checks them itself", "  ")
    for title, settings in told.sections:
        yield ""
        yield ink.style(title, "bold")
        for each in settings:
            default = f"default: {each.default}" if each.default else "needed"
            yield ink.wrap(f"{each.name}: {each.takes} ({default})", "      ", "  ")
            if each.meaning:
                yield ink.wrap(each.meaning, "      ")
