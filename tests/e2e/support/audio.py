# SPDX-License-Identifier: Apache-2.0
"""Audio files made on the spot: real headers, and content that differs from file to file."""

import struct


def wav(seconds: float = 1.0, rate: int = 8000, tone: int = 1) -> bytes:
    """A mono 16-bit WAV with a saw-tooth in it."""
    samples = b"".join(struct.pack("<h", (i * tone * 40) % 4000 - 2000) for i in range(int(seconds * rate)))
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def mp3(frames: int = 20, tone: int = 1) -> bytes:
    """Frames of MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes each."""
    return b"".join(b"\xff\xfb\x90\x00" + bytes([(tone + i) % 251]) * 413 for i in range(frames))


def endless_mp3(size: int, piece: int = 65536):
    """The same, streamed: so many bytes in pieces."""
    block = (b"\xff\xfb\x90\x00" + b"\x55" * 413) * (piece // 417 + 2)
    sent = 0
    while sent < size:
        start = sent % 417
        yield block[start : start + min(piece, size - sent)]
        sent += min(piece, size - sent)
