"""The page says what the results say."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _script():
    spec = importlib.util.spec_from_file_location("cells_page", ROOT / "tests" / "gpu" / "cells" / "page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_drawn_from_the_results():
    page = _script()
    written = page.PAGE.read_text(encoding="utf-8").partition(page.BEGIN)[2].partition(page.END)[0]
    assert written.strip() == page.drawn().strip(), "run `python tests/gpu/cells/page.py`"


def test_every_row_of_the_backend_was_seen_on_a_gpu():
    from aligntune_unsloth.capabilities import CAPABILITIES

    found = _script().results()
    for row in CAPABILITIES:
        if str(row.support) == "unsupported":
            continue
        for method in sorted({"lora", "qlora", "full"} & {str(feature) for feature in row.features}):
            names = [name for name in found if name.startswith(f"unsloth-{row.algorithm}-{method}")]
            assert any(found[name]["ok"] for name in names), (row.algorithm, method)
