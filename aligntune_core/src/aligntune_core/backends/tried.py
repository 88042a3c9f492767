"""Plugins that are tried before they are packaged: modules and files that somebody names, and nothing else."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.hooks import Interrupted, shielded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

VARIABLE = "ALIGNTUNE_PLUGINS"
"""The environment variable that names them, with commas between them; the option ``--plugin`` adds to it."""


@dataclass(frozen=True, slots=True)
class TriedPlugin:
    """A plugin that was named, in the place of an installed one's entry point.

    Args:
        name: The name that its plugin gives its backend; what was written, where that can't be known.
        value: What was written: a module or a file.
        plugin: Its module, None if that can't be imported.
        failure: What importing it or asking for its name raised.
        imported: The engines that were imported with it.
        dist: It has no distribution.
    """

    name: str
    value: str
    plugin: ModuleType | None = None
    failure: BaseException | None = None
    imported: tuple[str, ...] = ()
    dist: Any = None

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return f"'{self.value}', which --plugin or {VARIABLE} names"

    def load(self) -> Any:
        """Its module.

        Raises:
            BaseException: What importing it raised.
        """
        if self.failure is not None:
            raise self.failure
        return self.plugin


def tried_plugins(named: str, engines: Iterable[str]) -> list[TriedPlugin]:
    """The plugins that are named, imported; what fails is kept for when the backend is asked for.

    Args:
        named: Modules and files, with commas between them.
        engines: Modules that no plugin may import.
    """
    return [_tried(value, engines) for value in dict.fromkeys(each.strip() for each in named.split(",")) if value]


def _tried(value: str, engines: Iterable[str]) -> TriedPlugin:
    early = [engine for engine in engines if engine not in sys.modules]
    try:
        with shielded(value, "was imported"):
            plugin = _imported(value)
    except Interrupted:
        raise
    except BaseException as error:
        return TriedPlugin(value, value, failure=error)
    imported = tuple(engine for engine in early if engine in sys.modules)
    try:
        with shielded(value, "was asked for its name"):
            name = str.__str__(plugin.aligntune_backend_info().name)
    except Interrupted:
        raise
    except BaseException:
        # what it is that it lacks is said as of any other plugin
        name = value
    return TriedPlugin(name, value, plugin, imported=imported)


def _imported(value: str) -> ModuleType:
    if not value.endswith(".py") and Path(value).name == value:
        return importlib.import_module(value)
    file = Path(value).expanduser().resolve()
    if not file.is_file():
        raise FileNotFoundError(f"there is no file '{value}'")
    if (file.parent / "__init__.py").is_file():
        return _in_its_package(file)
    name = f"_aligntune_plugin_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"'{value}' is no Python file: its name has to end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _in_its_package(file: Path) -> ModuleType:
    """A module of a package, which may import the others of it."""
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    if str(folder) not in sys.path:
        # last, so that nothing beside the package can stand in for an installed one
        sys.path.append(str(folder))
    module = importlib.import_module(".".join(parts))
    found = getattr(module, "__file__", None)
    if not found or Path(found).resolve() != file:
        raise ImportError(f"another '{'.'.join(parts)}' is imported in its place, from {found}")
    return module
