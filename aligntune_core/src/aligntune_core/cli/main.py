"""The program ``aligntune``: finds the command, and turns what goes wrong into a message and an exit code."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, TextIO

from aligntune_core.errors import AlignTuneError
from aligntune_core.machine.importing import large_import

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = {
    "backends": ("aligntune_core.cli.screens.backends", (), ("json",)),
    "capabilities": (
        "aligntune_core.cli.screens.matrix",
        ("backend", "algorithm", "task", "device", "feature"),
        ("usable", "json", "markdown"),
    ),
}
"""Commands that programs ask often: the module whose ``show`` does the work, its options and its flags. They are read
here, without the command line's own library, which takes longer to import than they take to run."""

FAST = ("--fast", "--json")
"""The flags of a check that is read here likewise."""

PLUGINS_OF_MODELS = "PYDANTIC_DISABLE_PLUGINS"
"""The environment variable that names plugins of pydantic which are not to be looked for."""

REPEATED = ("feature",)
"""Options of these commands that may be given more than once, which is the same as commas between their values."""


def main(words: list[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 when it did what was asked, 1 when a run failed, 2 when a job was refused.

    Args:
        words: The words after the program's name; those of this process if None.
    """
    program, words = words is None, sys.argv[1:] if words is None else words
    _make_streams_safe()
    try:
        code = _run(words)
        sys.stdout.flush()
        # first of all that is done at the end, since it is registered last
        atexit.unregister(_answered)
        atexit.register(_answered)
        if program and _is_short(words):
            # the process ends now, and its end would go through all objects again, a tenth of the time that it took
            gc.freeze()
    except BrokenPipeError:
        code = _hang_up()
    except AlignTuneError as error:
        from aligntune_core.cli.screens.failure import say_error

        say_error(error)
        code = error.exit_code
    except KeyboardInterrupt as interruption:
        sys.stderr.write(f"Interrupted {interruption}".rstrip() + ".\n")
        code = 130
    sys.exit(code)


def _is_short(words: list[str]) -> bool:
    """Whether a command only answers: nothing is left behind that the end of the process has to put away."""
    return any(word in QUICK for word in words[:1]) or (words[:1] == ["check"] and "--fast" in words)


def _make_streams_safe() -> None:
    """No character is one too many for a stream, and a stream that was closed takes everything in silence."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere())
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _answered() -> None:
    """What others write to standard output as the process ends is no part of the answer."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        os.dup2(2, 1)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 it lives as long as the process


def _run(words: list[str]) -> int:
    words = without_plugins(words)
    name, *rest = words or [""]
    if name in QUICK:
        module, options, flags = QUICK[name]
        values = quick_values(rest, options, flags)
        if values is not None:
            with large_import():
                import_module(module).show(**values)
            return 0
    if name == "check" and "--fast" in rest and all(word in FAST or not word.startswith("-") for word in rest):
        from aligntune_core.cli.screens.verdict import show

        words = [word for word in rest if word not in FAST]
        with large_import(), _unwatched_models():
            return show(words, level="fast", as_json="--json" in rest)
    if name == "train":
        from aligntune_core.run.process.ahead import end_early, start_early

        start_early(words)
        try:
            return _typed(words)
        finally:
            end_early()
    return _typed(words)


def _typed(words: list[str]) -> int:
    """Run a command through the command line's own library."""
    from aligntune_core.cli.app import app

    try:
        app(args=words, prog_name="aligntune")
    except SystemExit as end:
        # the command line's own library makes an exit code of it, and loses what was going on
        interruption = getattr(end.__context__, "__cause__", None)
        if isinstance(interruption, KeyboardInterrupt):
            raise interruption from None
        return end.code if isinstance(end.code, int) else 0
    return 0


def without_plugins(words: list[str]) -> list[str]:
    """The words without ``--plugin NAME``, which stands anywhere and is added to what ``ALIGNTUNE_PLUGINS`` names.

    Args:
        words: The words after the program's name.

    Raises:
        AlignTuneError: If nothing follows the option.
    """
    left: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name != "--plugin":
            left.append(word)
            continue
        value = value if equals else next(rest, "")
        if not value or value.startswith("-"):
            raise AlignTuneError(
                "--plugin names no plugin.", fix="Name a module or a file, e.g. --plugin src/aligntune_acme/plugin.py."
            )
        os.environ["ALIGNTUNE_PLUGINS"] = ",".join(filter(None, [os.environ.get("ALIGNTUNE_PLUGINS", ""), value]))
    return left


@contextmanager
def _unwatched_models() -> Iterator[None]:
    """Let pydantic's plugins rest: to look for them it goes through every distribution that is installed."""
    if PLUGINS_OF_MODELS in os.environ:
        yield
        return
    os.environ[PLUGINS_OF_MODELS] = "__all__"
    try:
        yield
    finally:
        os.environ.pop(PLUGINS_OF_MODELS, None)


def quick_values(words: list[str], options: tuple[str, ...], flags: tuple[str, ...]) -> dict[str, str | bool] | None:
    """The values of plainly written options; None where there is anything else, help and mistakes included.

    Args:
        words: The words after the command.
        options: Names of options that take a value.
        flags: Names of options that take none.
    """
    values: dict[str, str | bool] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in flags and not equals:
            values[name] = True
        elif word.startswith("--") and name in options:
            value = value if equals else next(rest, "")
            if not value or value.startswith("-") or (name in values and name not in REPEATED):
                return None
            values[name] = f"{values[name]},{value}" if name in values else value
        else:
            return None
    return values


def _hang_up() -> int:
    """Nobody reads standard output any more: what is still to be flushed at exit goes nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = _nowhere()
    return 1
