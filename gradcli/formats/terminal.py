"""Escaping of machine-readable text for terminals, so that it cannot control them; files get the text unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

from gradcli.caret import printable


def _escaped(data: bytes, kept: str, escape: Callable[[str], str]) -> bytes:
    """Return the text with ``escape`` applied to the pieces between the characters ``kept``."""
    pieces = re.split(f"([{kept}])", data.decode())
    return "".join([piece if piece in kept else escape(piece) for piece in pieces]).encode()


csv_shown = partial(_escaped, kept="\n", escape=printable)
tsv_shown = partial(_escaped, kept="\n\t", escape=printable)


def json_shown(data: bytes) -> bytes:
    """Return equivalent JSON with non-printable characters written as escapes."""
    return _escaped(data, "\n", lambda text: re.sub(r"[^ -~]", _json_escape, text))


def _json_escape(character: re.Match[str]) -> str:
    return character[0] if character[0].isprintable() else json.dumps(character[0])[1:-1]
