"""Run by another interpreter: says what it is and what is in it, in any Python since 3.7."""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Write the answer as JSON into the file that the first argument names."""
    # what lies in the folder that this was started in is no part of the interpreter
    sys.path[:] = [place for place in sys.path if place]
    told: dict[str, Any] = {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}",
        "executable": sys.executable,
        "prefix": sys.prefix,
        "platform": sys.platform,
    }
    if tuple(sys.version_info) >= (3, 11):
        told["distributions"] = _distributions()
        told.update(_core())
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(told, file)


def _distributions() -> dict[str, dict[str, Any]]:
    from importlib.metadata import distributions

    found: dict[str, dict[str, Any]] = {}
    for each in distributions():
        name = each.metadata["Name"]
        if not name:  # what is left of one that was half removed
            continue
        entry: dict[str, Any] = {"name": name, "version": each.version or ""}
        text = each.read_text("direct_url.json")
        if text:
            entry["direct_url"] = json.loads(text)
        # the first on the path is the one that is imported
        found.setdefault(name.lower().replace("_", "-").replace(".", "-"), entry)
    return found


def _core() -> dict[str, Any]:
    try:
        from aligntune_core.provisioning.testimony import testimony

        told = testimony()
        # it is kept as JSON
        json.dumps(told)
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    return {**told, "core_folder": os.path.dirname(sys.modules["aligntune_core"].__file__ or "")}


if __name__ == "__main__":
    main()
