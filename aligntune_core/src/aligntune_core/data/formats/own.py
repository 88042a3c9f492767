"""The formats that a backend brings: checked, guarded, and with the code that they depend on."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind, spelling, word_of
from aligntune_core.data.formats.table import FORMATS, Format
from aligntune_core.data.formats.unusable import UnusableRow
from aligntune_core.data.row_code import row_code
from aligntune_core.errors import AlignTuneError, DataError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aligntune_core.data.formats.rows import RawRow, Reader, Row


def own_formats(given: Iterable[Format]) -> tuple[Format, ...]:
    """The formats of a backend as rows are read with them; those that the core has too are left out.

    Args:
        given: What the backend brings, the most specific first.

    Raises:
        TypeError: If one is no format, or a part of it is of another kind.
        ValueError: If a name is spelt otherwise than names are, stands twice, or means another format of the core.
    """
    found: dict[str, Format] = {}
    for each in given:
        _require_format(each)
        core = next((known for known in FORMATS if known.name == each.name), None)
        if core not in (None, each):
            raise ValueError(
                f"the format '{each.name}' is the core's, and means another one there: choose another name"
            )
        if found.get(each.name, each) != each:
            raise ValueError(f"there are two formats '{each.name}'")
        if core is None:
            found[each.name] = each
    return tuple(map(_guarded, found.values()))


def code_of(formats: Sequence[Format]) -> str | None:
    """A digest of the code that formats of a backend make rows with; None where that can't be told.

    Args:
        formats: What ``own_formats`` gave.
    """
    functions = [_bare(function) for each in formats for function in (*each.readers.values(), each.fits)]
    folders = set()
    for function in functions:
        if getattr(function, "__module__", "").startswith("aligntune_core."):
            continue
        file = getattr(sys.modules.get(getattr(function, "__module__", "") or ""), "__file__", None)
        plain = inspect.isfunction(function) and not function.__closure__ and not function.__defaults__
        if not plain or not file:
            return None
        folders.add(_package_of(Path(file)))
    return ",".join([*(each.name for each in formats), *(row_code(folder) for folder in sorted(folders))])


def _require_format(given: object) -> None:
    if not isinstance(given, Format):
        raise TypeError(f"it gave a {type(given).__name__}, not a Format")
    if given.name != spelling(given.name):
        raise ValueError(f"a format is called {given.name!r}, but names are spelt like {spelling(given.name)!r}")
    columns = (*given.needs, *given.optional)
    if isinstance(given.needs, str) or not given.needs or not all(isinstance(column, str) for column in columns):
        raise TypeError(f"the format '{given.name}' needs {given.needs!r:.60}, not a tuple of columns")
    if not given.readers or not all(map(callable, given.readers.values())):
        raise TypeError(f"the format '{given.name}' has no function that makes rows")
    for kind in given.readers:
        word_of(DatasetKind, kind, "a kind of dataset")


def _guarded(given: Format) -> Format:
    if any(isinstance(reader, _GuardedReader) for reader in given.readers.values()):
        return given
    readers = {kind: _GuardedReader(given.name, reader) for kind, reader in given.readers.items()}
    return replace(given, readers=readers, fits=_GuardedTest(given.name, given.fits))


class _GuardedReader:
    """A function that makes rows, whose failure is told as that of its format."""

    def __init__(self, name: str, function: Reader) -> None:
        self.name, self.function = name, function

    def __call__(self, row: RawRow) -> Row:
        found: Any
        try:
            found = self.function(row)
        except (UnusableRow, AlignTuneError):
            raise
        except Exception as error:
            raise _failed(self.name, described(error)) from error
        if type(found) is not dict or not all(type(column) is str for column in found):
            raise _failed(self.name, f"it gave a {type(found).__name__} for a row, not a dict from columns to values")
        return found


class _GuardedTest:
    """Whether a row is of a format, where what fails is told as the failure of that format."""

    def __init__(self, name: str, function: Callable[[RawRow], bool]) -> None:
        self.name, self.function = name, function

    def __call__(self, row: RawRow) -> bool:
        try:
            return bool(self.function(row))
        except Exception as error:
            raise _failed(self.name, described(error)) from error


def _failed(name: str, reason: str) -> DataError:
    return DataError(
        f"the format '{name}', which the backend brings, failed on a row: {reason}.",
        fix="Report it to the backend's authors.",
    )


def _bare(function: Any) -> Any:
    return getattr(function, "function", function)


def _package_of(file: Path) -> Path:
    """The outermost package that a module is in; the module itself where it is in none."""
    if not (file.parent / "__init__.py").is_file():
        return file
    folder = file.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder
