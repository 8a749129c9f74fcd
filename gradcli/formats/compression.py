"""Compression by gzip and Zstandard: bounded decompression, and reproducible compressed output."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from gradcli.errors import GradError, optional
from gradcli.formats.columns import Out

EXPANDED_LIMIT = 64 << 30
"""Maximum of bytes after decompression, unless --max-bytes gives another."""
_STEP = 1 << 20
_MAGIC = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
_KINDS = {"gz": "gzip", "zst": "Zstandard"}
# A Zstandard block of four bytes can expand to 128 KiB, so this many bytes of input expand to at most 16 MiB.
_ZST_FEED = 512


def suffix_of(path: str) -> tuple[str, str | None]:
    """Split the suffix of the compression off a name: ``("a.csv", "gz")`` for "a.csv.gz", ``("a.csv", None)``."""
    low = path.lower()
    for packing in _MAGIC.values():
        if low.endswith("." + packing):
            return path[: -len(packing) - 1], packing
    return path, None


def packing_of(start: bytes) -> str | None:
    """Return the compression that the first bytes of a file indicate, or None."""
    return next((packing for magic, packing in _MAGIC.items() if start.startswith(magic)), None)


def begun(parts: Iterator[bytes]) -> bytes:
    """Read the first bytes, enough for ``packing_of``."""
    start = b""
    while any(magic.startswith(start) and magic != start for magic in _MAGIC) and (part := next(parts, b"")):
        start += part
    return start


def unpacked(parts: Iterator[bytes], packing: str, name: str) -> Iterator[bytes]:
    """Yield the decompressed bytes as they arrive. Raise GradError if the data are damaged or truncated."""
    start, kind = begun(parts), _KINDS[packing]
    if not start:
        raise GradError(f"{name}: the file is empty")
    if packing_of(start) != packing and not any(m.startswith(start) for m, p in _MAGIC.items() if p == packing):
        raise GradError(f"{name}: not a {kind} file")
    yield from (_gunzip if packing == "gz" else _unzstd)(chain([start], parts), name)


def _gunzip(parts: Iterator[bytes], name: str) -> Iterator[bytes]:
    import zlib

    member = zlib.decompressobj(31)
    try:
        for data in parts:
            while data:
                if member.eof:
                    # Skip padding: tapes and some tools fill the last block with zeros.
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    member = zlib.decompressobj(31)
                piece = member.decompress(data, _STEP)
                data = member.unused_data if member.eof else member.unconsumed_tail
                if piece:
                    yield piece
            while not member.eof and (piece := member.decompress(b"", _STEP)):
                yield piece
    except zlib.error as error:
        raise GradError(f"{name}: the gzip data are damaged: {error}") from None
    if not member.eof:
        raise GradError(f"{name}: truncated: the end of the gzip data is missing")


def _unzstd(parts: Iterator[bytes], name: str) -> Iterator[bytes]:
    library = zstandard()
    context = library.ZstdDecompressor(max_window_size=1 << 27)
    frame: Any = context.decompressobj()
    try:
        for part in parts:
            for at in range(0, len(part), _ZST_FEED):
                data = part[at : at + _ZST_FEED]
                while data:
                    if frame.eof:
                        frame = context.decompressobj()
                    piece = frame.decompress(data)
                    data = frame.unused_data if frame.eof else b""
                    if piece:
                        yield piece
    except library.ZstdError as error:
        raise GradError(f"{name}: the Zstandard data are damaged: {error}") from None
    if not frame.eof:
        raise GradError(f"{name}: truncated: the end of the Zstandard data is missing")


def zstandard() -> Any:
    return optional("zstandard", "zstd", ".zst needs the package zstandard")


class Packer:
    """Compresses bytes and passes them to ``out``; ``close`` writes the rest.

    The output does not depend on how the input is cut into pieces.
    """

    def __init__(self, out: Out, packing: str) -> None:
        self.out = out
        if packing == "gz":
            import zlib

            # The header that zlib writes holds neither a name nor a time, so the output is reproducible.
            self._packing: Any = zlib.compressobj(6, zlib.DEFLATED, 31)
        else:
            self._packing = zstandard().ZstdCompressor(level=3, write_checksum=True).compressobj()

    def __call__(self, data: bytes) -> None:
        if packed := self._packing.compress(data):
            self.out(packed)

    def close(self) -> None:
        self.out(self._packing.flush())
