"""What pip is told to do here, by its configuration files and environment variables: uv does not read them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ANSWER_SECONDS = 60
_ENVIRONMENT, _INSTALL = ":env:", "install"


@dataclass(frozen=True, slots=True)
class PipSettings:
    """What of pip's configuration matters to where distributions come from.

    Args:
        index_url: The package index; pip's own default if empty.
        extra_index_url: Further indexes.
        find_links: Folders and pages with distributions.
        constraint: Files of constraints.
        trusted_host: Hosts whose certificates are not looked at.
        cert: A file of certificates.
        client_cert: The certificate of this client.
        proxy: The proxy.
        no_index: Whether no index is asked at all.
        pre: Whether pre-releases are taken.
        only_binary: Distributions that are taken as wheels alone.
        no_binary: Distributions that are taken as sources alone.
        timeout: Seconds after which an answer is no longer waited for.
    """

    index_url: str = ""
    extra_index_url: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    constraint: tuple[str, ...] = ()
    trusted_host: tuple[str, ...] = ()
    cert: str = ""
    client_cert: str = ""
    proxy: str = ""
    no_index: bool = False
    pre: bool = False
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    timeout: str = ""

    def to_dict(self) -> dict[str, Any]:
        """What is set, as JSON-ready values without passwords."""
        return {name: _shown(value) for name, value in self.given().items()}

    def for_pip(self) -> list[str]:
        """The same as options of pip."""
        return [word for name, value in self.given().items() for word in _options(f"--{name.replace('_', '-')}", value)]

    def for_uv(self) -> list[str]:
        """The same as options of ``uv pip install``."""
        names = {"index_url": "--default-index", "trusted_host": "--allow-insecure-host", "extra_index_url": "--index"}
        words = []
        for name, value in replace(self, cert="", client_cert="", proxy="", timeout="", pre=False).given().items():
            words += _options(names.get(name, f"--{name.replace('_', '-')}"), value)
        # pip takes the best of what all indexes have
        return [*words, "--index-strategy", "unsafe-best-match", *(["--prerelease", "allow"] if self.pre else [])]

    def environ_for_uv(self) -> dict[str, str]:
        """What uv takes from environment variables alone."""
        told = {
            "SSL_CERT_FILE": self.cert,
            "SSL_CLIENT_CERT": self.client_cert,
            "ALL_PROXY": self.proxy,
            "UV_HTTP_TIMEOUT": self.timeout.partition(".")[0],
        }
        return {name: value for name, value in told.items() if value}

    def given(self) -> dict[str, Any]:
        """What is set, by name."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


def pip_settings() -> PipSettings:
    """What pip of the running interpreter is told to do."""
    return from_lines(_asked() if find_spec("pip") else _read())


def from_lines(lines: list[str]) -> PipSettings:
    """The settings that ``pip config list`` writes.

    Args:
        lines: Lines such as ``global.index-url='https://...'``.
    """
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if equals and section in {"global", _INSTALL, _ENVIRONMENT}:
            found.setdefault(section, {})[_normal(name)] = _unquoted(value)
    together = {**found.get("global", {}), **found.get(_INSTALL, {}), **found.get(_ENVIRONMENT, {})}
    together.setdefault("timeout", together.get("default_timeout", ""))
    kinds = {field.name: str(field.type) for field in fields(PipSettings)}
    given = {name: _value(kinds[name], text) for name, text in together.items() if name in kinds}
    return PipSettings(**given)


def _asked() -> list[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
    return told.stdout.splitlines() if told.returncode == 0 else _read()


def _read() -> list[str]:
    """What ``pip config list`` would say where there is no pip: the files that it reads, and its variables."""
    from configparser import Error, RawConfigParser

    lines: list[str] = []
    for file in _files(os.environ):
        parser = RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (Error, OSError, UnicodeDecodeError):
            continue
        lines += [
            f"{section}.{name}={value!r}" for section in parser.sections() for name, value in parser[section].items()
        ]
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            lines.append(f"{_ENVIRONMENT}.{_normal(name[4:])}={value!r}")
    return lines


def _files(environ: Mapping[str, str]) -> Iterator[str]:
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield os.path.join(folder, "pip", "pip.conf")
    yield "/etc/pip.conf"
    yield os.path.expanduser("~/.pip/pip.conf")
    yield os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "pip", "pip.conf")
    yield os.path.join(sys.prefix, "pip.conf")
    if named:
        yield named


def _normal(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _unquoted(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value


def _value(kind: str, text: str) -> Any:
    if kind == "bool":
        return text.strip().lower() in {"1", "true", "yes", "on"}
    return tuple(text.split()) if kind.startswith("tuple") else text.strip()


def _options(option: str, value: Any) -> list[str]:
    if value is True:
        return [option]
    return [word for each in ([value] if isinstance(value, str) else value) for word in (option, each)]


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return without_password(value)
    return [without_password(each) for each in value] if isinstance(value, tuple) else value


def without_password(text: str) -> str:
    """A text whose URLs have no user and no password in them.

    Args:
        text: The text.
    """
    return re.sub(r"(://)[^/@\s]+@", r"\1***@", text)
