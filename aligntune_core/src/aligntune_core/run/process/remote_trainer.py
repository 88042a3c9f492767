"""A trainer whose engine is in another process."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from aligntune_core.errors import AlignTuneError
from aligntune_core.trainer import Trainer

if TYPE_CHECKING:
    from aligntune_core.run.process.child_process import ChildProcess
    from aligntune_core.trainer import TrainResult


class OtherProcessError(AlignTuneError, AttributeError):
    """A member of a trainer that is in another process."""

    code = "other-process"


class RemoteTrainer(Trainer):
    """Trains, evaluates and saves in another process, which ends with this object or with this process.

    Args:
        child: The process, which has made the trainer.
    """

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        # at the end of this process it is waited for, so that it can finish what it has begun
        self._at_end = weakref.finalize(self, child.end)

    @property
    def model(self) -> Any:
        """Not here.

        Raises:
            OtherProcessError: Always.
        """
        self._refuse("model", "Save it with trainer.save() and load it from there")

    @property
    def tokenizer(self) -> Any:
        """Not here.

        Raises:
            OtherProcessError: Always.
        """
        self._refuse("tokenizer", "Load it from the folder that trainer.save() gives")

    @property
    def native(self) -> Any:
        """Not here.

        Raises:
            OtherProcessError: Always.
        """
        self._refuse("native", "What the engine is to be told goes into backend_args")

    @property
    def log(self) -> Path:
        """The file with all that the engine prints; it is kept if the process fails, and removed if it does not."""
        return self._child.log

    def train(self) -> TrainResult:
        """Train to the end, from the checkpoint the job names if it resumes.

        Raises:
            RunError: If the run began and could not go on, or its process died.
        """
        result: TrainResult = self._child.call("train", "trained")
        return result

    def evaluate(self) -> dict[str, float]:
        """Score the evaluation data.

        Raises:
            DataError: If the job names no evaluation data.
        """
        figures: dict[str, float] = self._child.call("evaluate", "evaluated")
        return figures

    def save(self, path: str | Path | None = None, *, merge: bool = False) -> Path:
        """Write the model and its tokenizer where transformers can load them.

        Args:
            path: The folder; the job's ``output_dir`` if None.
            merge: Fold a LoRA adapter into the weights.

        Returns:
            The folder.
        """
        given = None if path is None else Path(path)
        folder: Path = self._child.call("save", "saved the model", path=given, merge=merge)
        return folder

    def close(self) -> None:
        """End the process; nothing can be asked of this trainer any more."""
        self._at_end()

    def __repr__(self) -> str:
        return f"<trainer in process {self._child.pid}>"

    def _refuse(self, member: str, way_out: str) -> NoReturn:
        raise OtherProcessError(
            f"trainer.{member} is in process {self._child.pid}, where the engine runs, and can't be brought here.",
            fix=f"{way_out}; or leave out isolation, so that the engine runs in this process.",
        )
