"""What a plugin says of its backend, as JSON that anybody can read without importing the plugin."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import Algorithm
from aligntune_core.backends.installed import package_file
from aligntune_core.capabilities import BackendInfo, Capability, ImportOrder, NamedReward

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FORMAT = 1
"""The version of the layout; it goes up when an older core could not read it, or would read it wrongly."""


class RecordError(ValueError):
    """A record that is none, or that this core can't read; says why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a plugin says of itself.

    Args:
        info: What its ``aligntune_backend_info`` gives.
        algorithms: What its ``aligntune_algorithms`` gives.
        settings: What its ``aligntune_settings`` gives, as JSON Schema, by the names of algorithms.
        hooks: The hooks that it implements, so that it need not be imported to be asked others; None if not known.
    """

    info: BackendInfo
    algorithms: tuple[Algorithm, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hooks: tuple[str, ...] | None = None


def to_values(recorded: Recorded) -> dict[str, Any]:
    """A record as JSON-ready values, the same for the same record; what is as it is by default is left out."""
    values: dict[str, Any] = {"format": FORMAT, "info": _plain(recorded.info)}
    if recorded.algorithms:
        values["algorithms"] = _plain(recorded.algorithms)
    if recorded.hooks is not None:
        values["hooks"] = list(recorded.hooks)
    if recorded.settings:
        values["settings"] = [{"algorithms": names, "schema": schema} for names, schema in _alike(recorded.settings)]
    return values


def read_record(place: str) -> Recorded:
    """The record in a file beside the modules of a package, which is not imported.

    Args:
        place: The package and the file, as an entry point has them: ``aligntune_acme:backend.json``.

    Raises:
        RecordError: If there is none, or it can't be read.
    """
    package, _, name = (part.strip() for part in place.partition(":"))
    if not package or not name:
        raise RecordError(f"'{place}' names no file of a package, as in 'aligntune_acme:backend.json'")
    try:
        text = package_file(package, name)
    except OSError as error:
        raise RecordError(f"{name} of {package} can't be read: {error.strerror or error}") from error
    if text is None:
        raise RecordError(f"there is no {name} in {package}")
    return from_text(text)


def from_text(text: str | bytes) -> Recorded:
    """The record that a file holds.

    Args:
        text: The file's contents, JSON in UTF-8.

    Raises:
        RecordError: If it is no record, or one in a layout of another version.
    """
    import json

    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"it is no JSON: {error}") from error
    return from_values(values)


def from_values(values: Any) -> Recorded:
    """The record that JSON values stand for.

    Args:
        values: What ``to_values`` gave.

    Raises:
        RecordError: If it is no record, or one in a layout of another version.
    """
    if not isinstance(values, dict) or "format" not in values:
        raise RecordError("it has no 'format', so it is no record of a backend")
    found = values["format"]
    if isinstance(found, bool) or found != FORMAT:
        raise RecordError(f"it is in format {found!r:.40}, and this core reads format {FORMAT}")
    unknown = sorted(values.keys() - {"format", "info", "algorithms", "hooks", "settings"})
    if unknown:
        raise RecordError(f"it has {', '.join(map(repr, unknown))}, which format {FORMAT} does not")
    info = _mapping(values.get("info"), "info")
    algorithms = _list(values.get("algorithms", []), "algorithms")
    hooks = tuple(map(str, _list(values["hooks"], "hooks"))) if "hooks" in values else None
    rows = [_made(Capability, row, "a row") for row in _list(info.get("capabilities"), "info.capabilities")]
    orders = [_made(ImportOrder, each, "an order") for each in _list(info.get("import_order", []), "info.import_order")]
    rewards = [_made(NamedReward, each, "a reward") for each in _list(info.get("rewards", []), "info.rewards")]
    return Recorded(
        _made(BackendInfo, {**info, "capabilities": rows, "import_order": orders, "rewards": rewards}, "info"),
        tuple(_made(Algorithm, each, "an algorithm") for each in algorithms),
        dict(_settings(_list(values.get("settings", []), "settings"))),
        hooks,
    )


def differences(old: Recorded, new: Recorded) -> list[str]:
    """What is not the same in two records, e.g. ``the row for 'dpo'`` or ``summary``; empty where nothing is.

    Args:
        old: One.
        new: The other.
    """
    before, after = _plain(old.info), _plain(new.info)
    found = [f"'{key}'" for key in dict.fromkeys((*before, *after)) if key != "capabilities"]
    found = [key for key in found if before.get(key[1:-1]) != after.get(key[1:-1])]
    found += _apart("the row for", "algorithm", before["capabilities"], after["capabilities"])
    found += _apart("the algorithm", "name", _plain(old.algorithms), _plain(new.algorithms))
    found += ["the hooks"] * (old.hooks != new.hooks)
    names = dict.fromkeys((*old.settings, *new.settings))
    return found + [f"the settings of '{name}'" for name in names if old.settings.get(name) != new.settings.get(name)]


def _apart(words: str, key: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    before, after = ({each[key]: each for each in rows} for rows in (old, new))
    names = dict.fromkeys((*before, *after))
    for name in names:
        if before.get(name) != after.get(name):
            yield f"{words} '{name}'"
    if list(before) != list(after) and before.keys() == after.keys():
        yield f"the order of {', '.join(after)}"


def _alike(schemas: Mapping[str, Mapping[str, Any]]) -> list[tuple[list[str], Mapping[str, Any]]]:
    """Each different schema, with the names of all that have it."""
    found: list[tuple[list[str], Mapping[str, Any]]] = []
    for name, schema in schemas.items():
        same = next((names for names, each in found if each == schema), None)
        if same is None:
            found.append(([name], schema))
        else:
            same.append(name)
    return found


def _settings(groups: Iterable[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in groups:
        given = _mapping(group, "a group of settings")
        schema = _mapping(given.get("schema"), "the schema of settings")
        for name in _list(given.get("algorithms"), "algorithms of settings"):
            yield str(name), schema


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(map(_plain, value))
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    given = ((each, getattr(value, each.name)) for each in fields(value))
    return {each.name: _plain(said) for each, said in given if each.default is MISSING or said != each.default}


def _made(kind: Any, values: Any, words: str) -> Any:
    """A value of the contract from its JSON, checked as it is when a plugin makes it."""
    given = _mapping(values, words)
    texts, lists = _kinds(kind)
    for name, each in given.items():
        if name in texts and not isinstance(each, str):
            raise RecordError(f"'{name}' of {words} is {each!r:.60}, not a text")
        if name in lists and not isinstance(each, list):
            raise RecordError(f"'{name}' of {words} is {each!r:.60}, not a list")
    try:
        return kind(**{name: tuple(each) if name in lists else each for name, each in given.items()})
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{words} can't be read: {error}") from error


@cache
def _kinds(kind: Any) -> tuple[frozenset[str], frozenset[str]]:
    """The names of a dataclass's fields that are texts, and of those that are lists in JSON."""
    types = {each.name: str(each.type) for each in fields(kind)}
    texts = frozenset(name for name, each in types.items() if each == "str")
    return texts, frozenset(name for name, each in types.items() if each.startswith(("tuple[", "frozenset[")))


def _mapping(value: Any, words: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RecordError(f"{words} is {value!r:.60}, not an object")
    return value


def _list(value: Any, words: str) -> Iterable[Any]:
    if not isinstance(value, list):
        raise RecordError(f"'{words}' is {value!r:.60}, not a list")
    return value
