"""What a stage of a cell says: one line of JSON, and nothing else, on standard output."""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import sys
from pathlib import Path


class Stage:
    """The arguments of a stage, and what it has found.

    Args:
        named: Further positional arguments.
    """

    def __init__(self, *named: str) -> None:
        parser = argparse.ArgumentParser()
        for name in ("model", "work", *named):
            parser.add_argument(name)
        self.options = parser.parse_args()
        self.model, self.work = self.options.model, Path(self.options.work)
        self.found: dict[str, object] = {}
        self.failed: list[str] = []
        self.dialled: list[str] = []
        self._watch_sockets()

    def note(self, **found) -> None:
        """Keep what was found."""
        self.found.update(found)

    def require(self, **claims: bool) -> None:
        """Keep claims that have to hold."""
        self.found.update({name: bool(holds) for name, holds in claims.items()})
        self.failed += [name for name, holds in claims.items() if not holds]

    def end(self) -> None:
        """Say it all."""
        self.note(failed=self.failed)
        sys.stdout.write(json.dumps(_plain(self.found)) + "\n")
        sys.stdout.flush()
        # threads that a compiler left behind must not keep the process
        sys.stderr.flush()
        os._exit(1 if self.failed else 0)

    def _watch_sockets(self) -> None:
        connect = socket.socket.connect

        def watched(this, address):
            if this.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in {"127.0.0.1", "localhost", "::1"}:
                self.dialled.append(str(address))
            return connect(this, address)

        socket.socket.connect = watched


def _plain(value):
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
