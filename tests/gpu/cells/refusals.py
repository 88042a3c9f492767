"""A stage: what this backend refuses, on a machine on which it could run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jobs import job
from stages import Stage


def main() -> None:
    stage = Stage()
    os.chdir(stage.work)
    from aligntune import check

    def codes(**more):
        verdict = check(
            level="fast", **job("sft", "lora", backend="unsloth", model_name=stage.model, output_dir="out", **more)
        )
        return {(each.code, each.key) for each in verdict.problems}

    stage.require(
        allowed=not {code for code, _ in codes()},
        fp16=("precision", "precision") in codes(precision="fp16"),
        liger=("not-settable", "backend_args.use_liger_kernel") in codes(backend_args={"use_liger_kernel": True}),
    )
    import transformers  # noqa: F401

    stage.require(order=("import-order", "backend") in codes())
    hidden = subprocess.run(
        [sys.executable, __file__, stage.model, str(stage.work), "hidden"],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        check=False,
    )
    stage.note(without_gpu=hidden.stdout.strip()[-300:] or hidden.stderr.strip()[-300:])
    stage.require(no_gpu="needs a CUDA GPU" in hidden.stdout)
    stage.end()


def without_gpu() -> None:
    from aligntune_core import BackendError
    from aligntune_unsloth.process import import_unsloth

    try:
        import_unsloth("out")
    except BackendError as error:
        print(error)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    if sys.argv[-1] == "hidden":
        without_gpu()
    else:
        main()
