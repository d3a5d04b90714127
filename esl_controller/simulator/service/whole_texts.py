"""Reads of whole text frames, taken apart at once: a fifth of what a service under load would spend
in the parser of the `websockets` package, which takes all that is anything else."""

from __future__ import annotations

from esl_controller.simulator.masking import apply_mask

_FIN, _MASKED = 0x80, 0x80
_TEXT = _FIN | 0x1
_LENGTH_16, _LENGTH_64 = 126, 127


class WholeTexts:
    """One client's reads, in order; knows whether the next one begins with a frame."""

    def __init__(self) -> None:
        self._at_frame = True

    def take(self, data: bytes) -> list[bytes] | None:
        """The messages of a read, where it is nothing but whole, final text frames, masked.

        None: it is for the parser; and so is all that follows a read that ends within a frame.
        """
        if not self._at_frame:
            return None
        texts: list[bytes] = []
        plain, at, size = True, 0, len(data)
        while at < size:
            if size - at < 2:
                self._at_frame = False
                return None
            length, body = data[at + 1] & 0x7F, at + 2
            if length == _LENGTH_16:
                length, body = int.from_bytes(data[body : body + 2], "big"), body + 2
            elif length == _LENGTH_64:
                length, body = int.from_bytes(data[body : body + 8], "big"), body + 8
            masked = data[at + 1] & _MASKED
            plain = plain and data[at] == _TEXT and bool(masked)
            body += 4 if masked else 0
            if body + length > size:
                self._at_frame = False
                return None
            if plain:
                texts.append(apply_mask(data[body : body + length], data[body - 4 : body]))
            at = body + length
        return texts if plain else None
