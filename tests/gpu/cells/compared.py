"""A stage: how far apart two backends' first steps are."""

from __future__ import annotations

import json

from stages import Stage


def main() -> None:
    stage = Stage("tolerance")
    ours, theirs = (json.loads((stage.work / f"{name}.json").read_text()) for name in ("unsloth", "trl"))
    apart = {}
    for name in ("loss", "grad_norm"):
        one, other = ours["first"][name], theirs["first"][name]
        apart[name] = {"unsloth": one, "trl": other, "relative": abs(one - other) / max(abs(other), 1e-12)}
    stage.note(
        apart=apart, metrics={name: (ours["first"].get(name), theirs["first"].get(name)) for name in theirs["first"]}
    )
    for name in ("rows", "row_count", "batch"):
        if name in theirs:
            stage.require(**{f"same_{name}": ours.get(name) == theirs[name]})
    limit = float(stage.options.tolerance)
    stage.require(
        **{
            f"same_{name}": each["relative"] <= limit or abs(each["unsloth"] - each["trl"]) < 2e-4
            for name, each in apart.items()
        }
    )
    stage.end()


if __name__ == "__main__":
    main()
