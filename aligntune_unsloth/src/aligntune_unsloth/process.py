"""The process that Unsloth is imported into: what is set before, what is made sure of after."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core import BackendError
from aligntune_core.machine.importing import large_import

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPILED = ".unsloth"
"""The folder in a run's output folder that Unsloth writes its generated trainers to."""

_SET = {
    # any value stops the download counter
    "UNSLOTH_DISABLE_STATISTICS": "1",
    # without a GPU, Unsloth would train by transformers on the CPU and say nothing
    "UNSLOTH_DISABLE_CPU_FALLBACK": "1",
}
_UNSET = (
    # logits would be hidden states, or be kept for every token
    *("UNSLOTH_RETURN_HIDDEN_STATES", "UNSLOTH_RETURN_LOGITS"),
    *("UNSLOTH_ALLOW_CPU", "UNSLOTH_FORCE_CPU"),
)
_KEPT = ("TORCHINDUCTOR_CACHE_DIR", "TORCH_LOGS", "TORCHINDUCTOR_COMPILE_THREADS")
"""What Unsloth takes away when it is imported, also where the user set it."""
_FRESH = "Start a fresh process for it: `aligntune train` does."


def import_unsloth(output_dir: str) -> Path:
    """Import Unsloth, before TRL, transformers and peft, unless this process has it already.

    Args:
        output_dir: The run's output folder, which gets the trainers that Unsloth generates.

    Returns:
        The folder that this process's generated trainers lie in: that of the first run in it.

    Raises:
        BackendError: If there is no CUDA GPU, or the import fails or does not do what it is there for.
    """
    _require_cuda()
    if "unsloth" not in sys.modules:
        folder = Path(output_dir).expanduser().resolve() / COMPILED
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["UNSLOTH_COMPILE_LOCATION"] = str(folder)
        os.environ.update(_SET)
        for name in _UNSET:
            os.environ.pop(name, None)
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            with printing_to_stderr(), large_import():
                import unsloth  # noqa: F401 - what it does is done by importing it
        except Exception as error:
            raise BackendError(
                f"unsloth can't be imported: {type(error).__name__}: {' '.join(str(error).split())[:300]}",
                fix="Install the releases in the backend's constraints.txt, in an environment of their own.",
            ) from error
        os.environ.update(kept)
    _require_rewritten()
    return Path(os.environ["UNSLOTH_COMPILE_LOCATION"])


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """What Unsloth prints goes to standard error: a program may read standard output."""
    with redirect_stdout(sys.stderr):
        yield


def require_rewritten(kind: type) -> None:
    """Refuse a class of TRL that Unsloth could not rewrite: TRL's own would train, and nothing would say so.

    Args:
        kind: The trainer's configuration class.

    Raises:
        BackendError: If it is TRL's own.
    """
    if "_unsloth_patched_rl_config" not in vars(kind):
        raise BackendError(
            f"unsloth has not rewritten TRL's {kind.__name__}, so TRL's own trainer would run.",
            fix="Install the releases in the backend's constraints.txt, or use backend='trl'.",
        )


def _require_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise BackendError("backend 'unsloth' needs a CUDA GPU, and there is none here.", fix="Use backend='trl'.")


def _require_rewritten() -> None:
    with large_import():
        import trl
    if not trl.SFTTrainer.__name__.startswith("Unsloth"):
        raise BackendError(
            "unsloth was imported in this process and TRL's trainers are not rewritten by it.",
            fix=_FRESH,
        )
