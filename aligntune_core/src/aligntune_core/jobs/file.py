"""Job files: YAML that is only data, with the line of every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from aligntune_core.errors import JobFileError
from aligntune_core.machine.regular_file import NotAFileError, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import yaml

_MOST_VALUES, _MOST_BYTES = 100_000, 4 * 2**20


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a job file says.

    Args:
        values: The keys with their values.
        places: ``file:line`` of each key, dotted for nested ones.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def load_job_file(path: str | Path) -> JobFile:
    """Read a job file.

    Args:
        path: A YAML file whose top level is a mapping of job keys.

    Raises:
        JobFileError: If it can't be read, isn't UTF-8, isn't YAML, isn't a mapping, or has a key twice.
    """
    path = Path(path)
    text = _text(path)
    try:
        root = _compose(text, path)
        places = _places(root, path)
        _take_keys_as_text(root)
        values = _construct(root, path)
    except RecursionError:
        raise JobFileError(f"the job file '{path}' is nested too deeply.") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise JobFileError(
            f"the job file '{path}' holds {_article(values)}, not keys with values.",
            fix="Write one `key: value` on each line, e.g. `algorithm: sft`.",
        )
    return JobFile({str(key): value for key, value in values.items()}, places)


def _text(path: Path) -> str:
    try:
        data = read_file(path, _MOST_BYTES)
    except FileNotFoundError:
        raise JobFileError(f"there is no job file '{path}'.", fix="Check the path.") from None
    except NotAFileError as error:
        raise JobFileError(
            f"the job file '{path}' is {error.kind}, not a file.", fix="Write the job into a file and name that."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise JobFileError(f"the job file {str(path)!r:.200} can't be read: {reason}.") from error
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise JobFileError(f"{path}:{line}: the file is not UTF-8 text.", fix="Save it as UTF-8.") from None


def _compose(text: str, path: Path) -> yaml.Node | None:
    import yaml
    from yaml.reader import ReaderError

    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise JobFileError(f"{path}:{line}: this is not YAML: {error.problem or error.context}.") from None
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise JobFileError(f"{path}:{line}: this is not YAML: it holds the character {_character(error)}.") from None
    except (ValueError, OverflowError):
        # what PyYAML's own conversions raise for an escape of no character, or a version of 5000 digits
        line = loader.line + 1 if loader else 1
        raise JobFileError(f"{path}:{line}: this is not YAML: a number in it is too large.") from None
    if root is not None:
        _count(root, path, {})
    return root


def _character(error: Any) -> str:
    return repr(chr(error.character) if isinstance(error.character, int) else error.character)


def _count(node: yaml.Node, path: Path, counted: dict[int, int]) -> int:
    """How many values there are under a node, those that aliases repeat included."""
    import yaml

    place = f"{path}:{node.start_mark.line + 1}"
    if id(node) in counted:
        if not counted[id(node)]:
            raise JobFileError(f"{place}: this value holds itself.", fix="Write it without the alias.")
        return counted[id(node)]
    if isinstance(node, yaml.ScalarNode):
        return 1
    counted[id(node)] = 0
    inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    count = 1 + sum(_count(part, path, counted) for part in inner)
    if count > _MOST_VALUES:
        raise JobFileError(f"{place}: this holds more than {_MOST_VALUES:,} values, too many for a job.")
    counted[id(node)] = count
    return count


def _construct(root: yaml.Node | None, path: Path) -> Any:
    """The values of a tree, where each that can't be read is named with its line."""
    import yaml

    class Constructor(yaml.constructor.SafeConstructor):
        def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep=deep)
            except (JobFileError, RecursionError, yaml.YAMLError):
                raise
            except Exception:
                # PyYAML raises whatever its conversions do, e.g. for a 13th month or a number of 5000 digits
                kind = node.tag.rpartition(":")[2]
                shown = repr(node.value)[:80]
                raise JobFileError(
                    f"{path}:{node.start_mark.line + 1}: {shown} can't be read as a YAML {kind}.",
                    fix="Write it in quotes if it is text.",
                ) from None

    if root is None:
        return None
    try:
        return Constructor().construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark or root.start_mark).line + 1
        raise JobFileError(f"{path}:{line}: this can't be read: {error.problem or error.context}.") from None


def _article(value: object) -> str:
    return {"list": "a list", "str": "one text", "int": "one number", "float": "one number"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )


def _places(node: yaml.Node | None, path: Path, prefix: str = "") -> dict[str, str]:
    import yaml

    places: dict[str, str] = {}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places.update(_places(item, path, f"{prefix}{index}."))
        return places
    if not isinstance(node, yaml.MappingNode):
        return places
    merged: dict[str, str] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise JobFileError(f"{path}:{key_node.start_mark.line + 1}: a key must be a plain word.")
        key = f"{prefix}{key_node.value}"
        place = f"{path}:{key_node.start_mark.line + 1}"
        if key in places:
            raise JobFileError(f"{place}: '{key}' stands here a second time, first at {places[key]}.", fix="Keep one.")
        places[key] = place
        if key_node.tag == _MERGE:
            sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            for source in sources:
                merged = _places(source, path, prefix) | merged
        else:
            places.update(_places(value_node, path, f"{key}."))
    return merged | places


def _take_keys_as_text(root: yaml.Node | None) -> None:
    """Let the job's own keys be the words that stand there: YAML makes true of yes, and 16 of 0x10."""
    import yaml

    for key_node, _ in root.value if isinstance(root, yaml.MappingNode) else ():
        if key_node.tag != _MERGE:
            key_node.tag = "tag:yaml.org,2002:str"


_MERGE = "tag:yaml.org,2002:merge"


def apply_overrides(values: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """The values with ``key=value`` words from a command line laid over them.

    Args:
        values: What there was before.
        overrides: Words like ``learning_rate=5e-5`` or, for what is nested, ``backend_args.max_length=64``. A value
            is read as YAML, except where the key takes text.

    Raises:
        JobFileError: If a word has no ``=`` or no value, sets what another word sets, or reaches into something that
            has no keys.
    """
    merged = dict(values)
    seen: dict[str, str] = {}
    for word in overrides:
        _, equals, text = word.partition("=")
        key = key_of(word)
        *outer, last = key.split(".")
        if not equals or not all([*outer, last]):
            fix = "Write e.g. learning_rate=5e-5."
            if word.endswith((".yaml", ".yml")):
                fix = "A job file comes first, and there is one at most."
            raise JobFileError(f"'{word}' is not of the form key=value.", fix=fix)
        if not text.strip():
            raise JobFileError(f"'{word}' gives no value.", fix=f"Write {key}=null to leave the key alone.")
        if key in seen:
            raise JobFileError(f"'{key}' is given a second time, as '{word}'.", fix="Keep one.")
        replaced = next((other for other in seen if other.startswith(f"{key}.")), None)
        if replaced:
            raise JobFileError(f"'{word}' replaces '{seen[replaced]}', which stands before it.", fix="Keep one.")
        target = merged
        for part in outer:
            inner = target.get(part)
            if inner is not None and not isinstance(inner, dict):
                raise JobFileError(f"'{key}' reaches into '{part}', which has no keys of its own.")
            target[part] = dict(inner or {})
            target = target[part]
        around = next((other for other in seen if key.startswith(f"{other}.")), None)
        if around and last in target:
            raise JobFileError(f"'{word}' sets what '{seen[around]}' sets already.", fix="Keep one.")
        seen[key] = word
        target[last] = _value(key, text)
    return merged


def key_of(word: str) -> str:
    """The key that a ``key=value`` word sets; it may be written as an option, ``--key=value``."""
    return word.partition("=")[0].strip().lstrip("-")


def _value(key: str, text: str) -> Any:
    from aligntune_core.job import Job

    field_info = Job.model_fields.get(key)
    if field_info is not None and _is_text(field_info.annotation) and text not in {"null", "~"}:
        return text
    try:
        return _construct(_compose(text, Path()), Path())
    except (JobFileError, RecursionError):
        return text


def _is_text(annotation: Any) -> bool:
    """Whether a key takes text; a dataset does, where it is named and not handed over."""
    if get_origin(annotation) is Annotated:
        return _is_text(get_args(annotation)[0])
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        return all(_is_text(part) for part in get_args(annotation) if part is not type(None))
    return annotation in (str, Any)
