"""What somebody asks an environment to be made from; it is recorded, so that the same can be made again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTALLERS = ("uv", "pip")


@dataclass(frozen=True, slots=True)
class Request:
    """What an environment is to be made from.

    Args:
        name: The environment's name; that of a backend of this project, where ``requirement`` is empty.
        requirement: The distribution of its backend: a wheel, a folder, a URL or a name.
        extras: Further requirements, which come before the versions that the backend was tested with.
        torch: Which torch: ``cpu``, ``cuda``, a version, or empty for the one that runs here.
        source: Where AlignTune's own distributions are: a folder of wheels, a checkout or the URL of an index; empty
            for where the running ones came from.
        python: The interpreter; empty for the running one.
        installer: ``uv`` or ``pip``; empty for uv where there is one.
        lock: A lock file: these distributions in these versions and no others; empty to choose versions anew.
        system: Whether what is installed beside the interpreter is seen too, torch in a container for instance.
    """

    name: str
    requirement: str = ""
    extras: tuple[str, ...] = ()
    torch: str = ""
    source: str = ""
    python: str = ""
    installer: str = ""
    lock: str = ""
    system: bool = False

    def to_dict(self) -> dict[str, Any]:
        """What is asked for, as JSON-ready values without what is left to the defaults."""
        values = {name: value for name, value in asdict(self).items() if value and name != "name"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def with_changes(self, **changes: Any) -> Request:
        """The same, with those of the changes that are not empty."""
        return replace(self, **{name: value for name, value in changes.items() if value})


def from_asked(name: str, asked: Mapping[str, Any]) -> Request:
    """The request that was recorded.

    Args:
        name: The environment's name.
        asked: What ``to_dict`` gave.
    """
    known = {field.name for field in fields(Request)} - {"name"}
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in asked.items() if key in known
    }
    return Request(name, **given)
