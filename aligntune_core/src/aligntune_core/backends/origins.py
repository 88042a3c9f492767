"""Where AlignTune's own distributions come from: never from whatever has their names on a package index.

``aligntune`` on PyPI is another program, and the other names are registered by nobody. So a distribution of AlignTune
is taken from where the one that runs came from: the checkout that it runs from, what its installer recorded (PEP 610),
or a place that the user names.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.installed import installed_folder, installed_version, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OURS = ("aligntune-core", "aligntune-trl", "aligntune-unsloth", "aligntune")
"""The distributions of this project, each after those that it needs."""

SETTING = "ALIGNTUNE_SOURCE"
"""The environment variable that says where they are: a folder of wheels, a checkout, or the URL of a package index."""

_REMOTE = re.compile(r"(git\+)?[a-z][a-z0-9+.]*://", re.IGNORECASE)
_CORE = "aligntune-core"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one of AlignTune's distributions is to be had.

    Args:
        distribution: Its name.
        place: A folder, a file or a URL; for one from an index, the requirement.
        editable: Whether it is a checkout that is run from where it is.
        index: The URL of the index that it is on, and on no other.
    """

    distribution: str
    place: str
    editable: bool = False
    index: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What an installer is told."""
        return ("--editable", self.place) if self.editable else (self.place,)

    @property
    def requirement(self) -> str:
        """The same as one line of a constraints file."""
        return self.place if self.index else f"{self.distribution} @ {_url(self.place)}"

    def __str__(self) -> str:
        return f"{self.place} (a checkout)" if self.editable else self.place


def is_ours(distribution: str) -> bool:
    """Whether a distribution's name is one of this project's."""
    return normalised(distribution) in OURS


def origin_of(distribution: str, source: str = "", folders: Iterable[str] = ()) -> Origin | None:
    """Where one of AlignTune's distributions is to be had; None where that can't be known.

    Args:
        distribution: Its name.
        source: A folder of wheels, a checkout, or the URL of an index; ``$ALIGNTUNE_SOURCE`` if empty.
        folders: Folders where installers look for wheels besides.
    """
    name, source = normalised(distribution), source or os.environ.get(SETTING, "")
    if source:
        return _at(name, source)
    here = _running_checkout()
    if here:
        return _checkout(name, os.path.dirname(here)) or _checkout(name, here)
    for told in (_recorded(name), *(_beside(each, name) for each in _all_recorded())):
        if told and (_REMOTE.match(told.place) or os.path.exists(told.place)):
            return told
    return next(filter(None, (_wheel(name, folder) for folder in folders)), None)


def place_of(distribution: str) -> str:
    """Where an installed distribution came from, anybody's: a folder, a file or a URL; its name where it is not known.

    Args:
        distribution: Its name.
    """
    told = _recorded(normalised(distribution))
    return told.place if told else distribution


def install_command(requirements: Iterable[str]) -> str:
    """The command that installs what is required; empty where that can't be known of a distribution of AlignTune.

    Args:
        requirements: PEP 508 requirements, or names alone. Of AlignTune's own distributions the place is named that
            they come from.
    """
    import shlex

    words: list[str] = []
    for each in requirements:
        found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", each)
        if not found or not is_ours(found[1]):
            words.append(each)
            continue
        origin = origin_of(found[1], folders=os.environ.get("PIP_FIND_LINKS", "").split())
        if origin is None:
            return ""
        if origin.index:
            # all that it says besides comes from there too, and so from a place that the user named
            words += ["--index-url", origin.index]
        words += origin.words
    return shlex.join(["pip", "install", *words]) if words else ""


def _at(name: str, source: str) -> Origin | None:
    if _REMOTE.match(source) and not source.startswith("file:"):
        return Origin(name, f"{name}=={_version()}", index=source)
    folder = os.path.abspath(os.path.expanduser(_path(source)))
    return _wheel(name, folder) or _checkout(name, folder)


def _running_checkout() -> str:
    """The folder of the core's distribution, where the core runs from a checkout of its sources; else empty."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sources = os.path.dirname(package)
    folder = os.path.dirname(sources)
    return folder if os.path.basename(sources) == "src" and _project(folder) == _CORE else ""


def _checkout(name: str, folder: str) -> Origin | None:
    """A distribution's sources in a checkout: in its own folder there, or at the top of it."""
    for each in (os.path.join(folder, name.replace("-", "_")), folder):
        if _project(each) == name:
            return Origin(name, each, editable=True)
    return None


def _project(folder: str) -> str:
    try:
        with open(os.path.join(folder, "pyproject.toml"), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r'^name\s*=\s*"([^"]+)"', text.partition("[project]")[2], re.MULTILINE)
    return normalised(found[1]) if found else ""


def _wheel(name: str, folder: str) -> Origin | None:
    """A wheel of the version that runs, in a folder."""
    beginning = f"{name.replace('-', '_')}-{_version()}-"
    try:
        found = sorted(each for each in os.listdir(folder) if each.startswith(beginning) and each.endswith(".whl"))
    except OSError:
        return None
    return Origin(name, os.path.join(folder, found[-1])) if found else None


def _recorded(name: str) -> Origin | None:
    """Where an installed distribution came from, as its installer recorded it."""
    folder = installed_folder(name)
    if not folder:
        return None
    import json

    try:
        with open(os.path.join(folder, "direct_url.json"), "rb") as file:
            told: Any = json.loads(file.read())
        url = str(told["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    inside = f"#subdirectory={told['subdirectory']}" if told.get("subdirectory") else ""
    if "vcs_info" in told:
        info = told["vcs_info"]
        return Origin(name, f"{info.get('vcs', 'git')}+{url}@{info.get('commit_id', '')}{inside}")
    editable = bool(told.get("dir_info", {}).get("editable"))
    return Origin(name, _path(url) if url.startswith("file:") else f"{url}{inside}", editable)


def _all_recorded() -> Iterator[Origin]:
    for each in OURS:
        told = _recorded(each)
        if told:
            yield told


def _beside(told: Origin, name: str) -> Origin | None:
    """Where a distribution is to be had, by where another one came from: both are made and kept together."""
    folder, _, last = told.place.rpartition("/")
    theirs, mine = told.distribution.replace("-", "_"), name.replace("-", "_")
    if told.editable or os.path.isdir(told.place):
        found = _checkout(name, os.path.dirname(told.place)) or _checkout(name, told.place)
        return replace(found, editable=told.editable) if found else None
    if last.endswith(".whl") and last.startswith(f"{theirs}-"):
        return Origin(name, f"{folder}/{mine}{last.removeprefix(theirs)}")
    if "#subdirectory=" in told.place:
        return Origin(name, f"{told.place.partition('#')[0]}#subdirectory={mine}")
    return None


def _version() -> str:
    return installed_version(_CORE) or ""


def _path(url: str) -> str:
    if not url.startswith("file:"):
        return url
    from urllib.parse import unquote, urlparse

    return unquote(urlparse(url).path)


def _url(place: str) -> str:
    if _REMOTE.match(place):
        return place
    from urllib.parse import quote

    return f"file://{quote(place)}"
