"""Taking out of a text what others may not see: tokens, passwords in addresses, and the name of the user's folder."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.doctor.finding import Finding

HIDDEN = "***"
_SECRET_NAME = re.compile(r"TOKEN(?!IZER)|SECRET|PASSW|CREDENTIAL|(^|_)(API_?)?KEY($|_)|AUTH", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)[^/\s@'\"]*(?:@[^/\s@'\"]*)*@")
_LEAST = 6


class Redaction:
    """What is taken out of every text that others may read.

    Args:
        environ: The environment variables, whose secrets are taken out wherever they stand.
        home: The user's folder, which becomes ``~``; that of this process's user if None.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, home: str | None = None) -> None:
        self._secrets = sorted(_secrets(environ), key=len, reverse=True)
        own = home or os.path.expanduser("~")  # noqa: PTH111 Path.home raises where there is none
        homes = {own.rstrip("/\\"), os.path.realpath(own).rstrip("/\\")}
        self._homes = [
            re.compile(re.escape(each) + r"(?![\w.-])")
            for each in sorted(homes, key=len, reverse=True)
            if len(Path(each).parts) > 1
        ]

    def text(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _USER_IN_URL.sub(f"{HIDDEN}@", text)
        for home in self._homes:
            text = home.sub("~", text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON-ready value without them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def finding(self, found: Finding) -> Finding:
        """A finding without them."""
        return replace(
            found,
            message=self.text(found.message),
            fix=self.text(found.fix),
            command=self.text(found.command),
            subject=self.text(found.subject),
            facts=self.value(dict(found.facts)),
        )


def _secrets(environ: Mapping[str, str]) -> set[str]:
    found = set()
    for name, value in environ.items():
        if _SECRET_NAME.search(name):
            found.add(value.strip())
        for user in _USER_IN_URL.findall(value):
            # errors quote parts of an address, also with its escapes undone
            login = user.rstrip("@")
            secret = login.partition(":")[2] or login
            found |= {login, secret, unquote(login), unquote(secret)}
    # what is as short as a word of a sentence can't be told from one
    return {secret for secret in found if len(secret) >= _LEAST}
