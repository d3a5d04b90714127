"""FreeSWITCH's own silence between the packets of a telephone that sends longer ones than it says.

FreeSWITCH reads a packet each packet time of the SDP, and where none has come it hands on bytes of
255 in place of it (switch_ivr.c, switch_ivr_park). A codec of a constant rate it corrects; Opus it
does not, so that packets of 40 ms for the 20 that were agreed come as 40 ms of sound and 20 of
nothing by turns: 60 ms of audio in 40, and no words (observed: no turn of the caller was heard).
Pure.
"""

from __future__ import annotations

_FILL = 0xFF


def is_filler(data: bytes) -> bool:
    """Whether nothing was there to be read."""
    return data[:1] == b"\xff" and data.count(_FILL) == len(data)


class Filler:
    """One line's."""

    def __init__(self) -> None:
        self._size = 0
        """Bytes of one filler: a packet as FreeSWITCH believes it to be. 0: none has come."""
        self._owed = 0
        """Of the last packet, beyond that."""

    def takes(self, data: bytes) -> bool:
        """Whether this datagram is nothing but time that the packet before it has filled already.

        A caller who sends nothing is silent all the same: what is owed is one packet's.
        """
        size = len(data)
        if not is_filler(data):
            self._owed = max(0, size - self._size) if self._size else 0
            return False
        self._size = size
        owed, self._owed = self._owed, max(0, self._owed - size)
        return owed >= size > 0
