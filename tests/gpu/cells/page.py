"""Draws what the cells found into ``docs/unsloth.md``: ``python tests/gpu/cells/page.py``."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "tests" / "gpu" / "results"
PAGE = ROOT / "docs" / "unsloth.md"
BEGIN, END = "<!-- cells, drawn by tests/gpu/cells/page.py -->\n", "<!-- /cells -->"


def results() -> dict[str, dict]:
    """The results by the cells' names."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}


def table(head, rows) -> list[str]:
    """A Markdown table."""
    lines = [head, *rows]
    lines.insert(1, ["---"] * len(head))
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]


def machines(found) -> list[str]:
    """What the cells ran on."""
    seen = {}
    for result in found.values():
        packages = ", ".join(f"{name} {version}" for name, version in result["packages"].items())
        seen.setdefault(
            f"{result['card']}, driver {result['driver']}; Python {result['python']}, {packages}", []
        ).append(1)
    return [f"{len(count)} cells on {where}." for where, count in seen.items()]


def trained(found) -> list[str]:
    """Every algorithm and way that was trained."""
    rows = []
    for name, result in found.items():
        if not name.startswith("unsloth-") or len(result["stages"]) < 3:
            continue
        fresh, loaded, resumed = (stage["found"] for stage in result["stages"])
        algorithm, method = result["stages"][0]["arguments"][1:3]
        model = name.removeprefix(f"unsloth-{algorithm}-{method}").lstrip("-") or "qwen3-0.6b"
        apart = loaded["saved"]["mean"], loaded.get("untrained", {}).get("mean")
        rows.append(
            [
                f"`{algorithm}`",
                method,
                model,
                f"{fresh['losses'][0]:.4g} to {fresh['losses'][-1]:.4g}",
                f"{apart[0]:.4f}" + (f" ({apart[1]:.4f})" if apart[1] else ""),
                "yes" if resumed.get("goes_on_as_uninterrupted") else "no",
                f"{fresh['peak_gib']:.2f}",
                "yes" if result["ok"] else "no",
            ]
        )
    head = ["algorithm", "trained", "model", "loss, step 1 to 4", "saved against live", "resumes", "GiB", "all held"]
    return table(head, rows)


def parity(found) -> list[str]:
    """The first steps beside the TRL backend's."""
    rows = []
    for name, result in found.items():
        if name.startswith("parity-"):
            apart = result["stages"][-1]["found"]["apart"]
            _, algorithm, batch = name.split("-")
            cells = [
                f"{each['unsloth']:.6g}, {each['trl']:.6g}, {each['relative']:.1e}"
                for each in (apart["loss"], apart["grad_norm"])
            ]
            rows.append([f"`{algorithm}`", batch.replace("x", " by "), *cells])
    return table(
        ["algorithm", "batch by accumulated", "loss: unsloth, trl, apart", "gradient norm: unsloth, trl, apart"], rows
    )


def others(found) -> list[str]:
    """The cells that show one thing each."""
    shown = ("unsloth-ppo-modes", "unsloth-ppo-reward-model", "unsloth-generate", "unsloth-refusals")
    rows = [[found[name]["shows"], "yes" if found[name]["ok"] else "no"] for name in shown if name in found]
    return table(["shown", "held"], rows)


def drawn() -> str:
    """The part of the page that the results make."""
    found = results()
    parts = [machines(found), trained(found), parity(found), others(found)]
    return "\n\n".join("\n".join(part) for part in parts)


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{drawn()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
