"""What a terminal is shown of a text that programs read: nothing that could drive it. Elsewhere all goes as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from gradcli.errors import printable


def _escaped(data: bytes, kept: str, escape: Callable[[str], str]) -> bytes:
    pieces = re.split(f"([{kept}])", data.decode())
    return "".join([piece if piece in kept else escape(piece) for piece in pieces]).encode()


def csv_shown(data: bytes) -> bytes:
    return _escaped(data, "\n", printable)


def tsv_shown(data: bytes) -> bytes:
    return _escaped(data, "\n\t", printable)


def json_shown(data: bytes) -> bytes:
    """The same JSON: a character that cannot be seen is ``\\u`` and its digits."""
    return _escaped(data, "\n", lambda text: re.sub(r"[^ -~]", _json_escape, text))


def _json_escape(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]
