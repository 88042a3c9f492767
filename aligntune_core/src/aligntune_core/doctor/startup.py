"""What this process imported before AlignTune looked, and which file that Python runs at its start did it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.backends.engines import ENGINES
from aligntune_core.doctor.finding import Finding, finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence


def startup_findings(imported: Collection[str], places: Sequence[str] | None = None) -> Iterator[Finding]:
    """What was imported early, and by what.

    Args:
        imported: The names of the modules that the process held before a backend was loaded.
        places: Where modules are looked for; ``sys.path`` if None.
    """
    engines = [engine for engine in ENGINES if engine in imported]
    if not engines:
        yield finding("process-clean", "no engine was imported before AlignTune")
        return
    yield finding("engines-imported", f"{', '.join(engines)} had been imported before", facts={"engines": engines})
    for file, line in startup_files(engines, places):
        yield finding(
            "startup-imports",
            f"{file} is run at every start of Python and imports an engine: {line}",
            fix="Take the import out of that file, or uninstall the package that put it there.",
            subject=str(file),
        )


def startup_files(engines: Sequence[str], places: Sequence[str] | None = None) -> Iterator[tuple[Path, str]]:
    """The files that Python runs at its start and that import one of the engines, each with the line that does.

    Args:
        engines: The engines' module names.
        places: Where modules are looked for; ``sys.path`` if None.
    """
    wanted = re.compile(rf"\b(import|from)\b[^#]*\b({'|'.join(map(re.escape, engines))})\b")
    for place in dict.fromkeys(sys.path if places is None else places):
        folder = Path(place or ".")
        files = [folder / "sitecustomize.py", folder / "usercustomize.py"]
        try:
            files += sorted(folder.glob("*.pth"))
        except OSError:
            continue
        for file in files:
            for line in _lines(file):
                # other lines of a .pth file are paths
                if wanted.search(line) and (file.suffix != ".pth" or line.startswith(("import ", "import\t"))):
                    yield file, line.strip()[:200]
                    break


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
