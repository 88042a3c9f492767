"""A stage: one algorithm by the TRL backend, whole and with LoRA, as the benchmark measures it."""

from __future__ import annotations

import sys
from pathlib import Path

from stages import Stage

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
STEPS = 8


def main() -> None:
    stage = Stage("algorithm")
    sys.path.insert(0, str(BENCHMARKS))
    from gpu_algorithms import measure

    rows = [
        measure(stage.options.algorithm, Path(stage.model), STEPS, lora=lora, folder=stage.work / "run")
        for lora in (False, True)
    ]
    stage.note(rows=rows)
    stage.end()


if __name__ == "__main__":
    main()
