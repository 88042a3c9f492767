"""Whether models and datasets can be downloaded from the hub."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aligntune_core.doctor.finding import Finding, finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_SECONDS = 3.0
_DEFAULT = "https://huggingface.co"
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_FIX = "Check the network, the proxy (HTTPS_PROXY) and the certificates (SSL_CERT_FILE); local files need none of it."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking the hub.

    Args:
        reached: Whether it answered.
        told: What it answered, or why it did not.
        seconds: How long that took.
    """

    reached: bool
    told: str
    seconds: float


class Call:
    """A question to the hub that is under way while other things are looked at.

    Args:
        endpoint: The hub's address.
        seconds: How long an answer may take, counted from now.
    """

    def __init__(self, endpoint: str, seconds: float = MOST_SECONDS) -> None:
        self._began = time.monotonic()
        self._seconds = seconds
        self._answers: list[Answer] = []
        # looking up a name takes no notice of a timeout: a process must not wait for it, not even at its end
        self._thread = threading.Thread(target=self._ask, args=(endpoint,), daemon=True)
        self._thread.start()

    def answer(self) -> Answer:
        """What came of it, waited for until its time is up."""
        self._thread.join(max(0.0, self._began + self._seconds - time.monotonic()))
        if self._answers:
            return self._answers[0]
        return Answer(False, f"there was no answer within {self._seconds:g} seconds", self._seconds)

    def _ask(self, endpoint: str) -> None:
        reached, told = _asked(endpoint, self._seconds)
        self._answers.append(Answer(reached, told, time.monotonic() - self._began))


def hub_endpoint(environ: Mapping[str, str] = os.environ, places: Sequence[str] | None = None) -> str:
    """The hub's address: ``HF_ENDPOINT``, or the one that the installed huggingface_hub has.

    Args:
        environ: The environment variables.
        places: Where modules are looked for; ``sys.path`` if None.
    """
    if environ.get("HF_ENDPOINT"):
        return environ["HF_ENDPOINT"].rstrip("/")
    for place in sys.path if places is None else places:
        try:
            text = Path(place, "huggingface_hub", "constants.py").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        named = re.search(r"^_HF_DEFAULT_ENDPOINT\s*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
        return named[1] if named else _DEFAULT
    return _DEFAULT


def offline_setting(environ: Mapping[str, str] = os.environ) -> str:
    """The variable that keeps this process from the hub; empty if none does.

    Args:
        environ: The environment variables.
    """
    true = {"1", "on", "yes", "true"}
    return next((name for name in _OFFLINE if environ.get(name, "").lower() in true), "")


def hub_finding(endpoint: str, offline: str, call: Call | None) -> Finding:
    """Whether the hub can be reached.

    Args:
        endpoint: The hub's address.
        offline: The variable that keeps this process from it; empty if none does.
        call: The question to it; None if it was not to be asked.
    """
    place = shown(endpoint)
    facts = {"endpoint": place}
    if offline:
        message = f"{offline} is set, so {place} is not asked for anything."
        return finding("hub-offline", message, fix="To download:", command=f"unset {offline}", facts=facts)
    if call is None:
        return finding("hub-not-asked", f"{place} was not asked", facts=facts)
    answer = call.answer()
    if answer.reached:
        milliseconds = round(answer.seconds * 1000)
        return finding("hub-reachable", f"{place} answers in {milliseconds} ms", facts={**facts, "ms": milliseconds})
    message = f"{place} can't be reached: {answer.told}."
    return finding("hub-unreachable", message, fix=_FIX, command=f"curl -I {place}", facts=facts)


def shown(endpoint: str) -> str:
    """An address without the name, password and query that may stand in it.

    Args:
        endpoint: The address.
    """
    try:
        parts = urlsplit(endpoint)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}" if parts.hostname else "HF_ENDPOINT"
    except ValueError:
        return "HF_ENDPOINT"


def _asked(endpoint: str, seconds: float) -> tuple[bool, str]:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    try:
        if urlsplit(endpoint).scheme not in {"http", "https"}:
            return False, "HF_ENDPOINT is no address that begins with http:// or https://"
        with urlopen(Request(endpoint, method="HEAD"), timeout=seconds):  # noqa: S310 the scheme was looked at
            return True, ""
    except HTTPError as error:
        # whoever answers that this is not to be had does answer
        return error.code < 500, f"it answers with status {error.code}"
    except URLError as error:
        return False, _reason(error.reason)
    except (OSError, HTTPException, ValueError) as error:
        return False, _reason(error)


def _reason(error: object) -> str:
    # an exception quotes addresses, which may hold passwords; what the system calls it holds none
    words = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or ""
    if str(error).startswith("Tunnel connection failed"):
        words = str(error)
    return words.rstrip(".").lower() or type(error).__name__
