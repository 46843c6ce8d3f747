"""Server-sent events: from the bytes of a stream to the data of its events."""

from __future__ import annotations

from polly_htmx.llm import exceptions

LONGEST = 16 * 1024 * 1024
"""Bytes of the longest event. A line that never ends would fill all memory."""

_BOM = b"\xef\xbb\xbf"


class EventStream:
    """
    Splits what comes, in whatever pieces, as the standard of the web has it.

    Lines end with LF, CR LF or CR, an event ends with an empty line, and one that the
    stream's end cuts off does not count. Comments, names and ids are passed over.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []
        """The pieces of a line that has not ended yet."""
        self._data: list[bytes] = []
        """The lines of an event that has not ended yet."""
        self._size = 0
        self._begun = False
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of the events that are whole now; raise BadResponse."""
        piece = self._with_one_kind_of_ends(piece)
        if b"\n" not in piece:
            self._line.append(piece)
            self._grow(len(piece))
            return []
        if self._line:
            piece = b"".join([*self._line, piece])
        *lines, rest = piece.split(b"\n")
        self._line = [rest] if rest else []
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        return self._events(lines)

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._grow(len(line))
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
                self._size = 0
        return events

    def _with_one_kind_of_ends(self, piece: bytes) -> bytes:
        if self._after_cr and piece[:1] == b"\n":
            piece = piece[1:]  # The second half of an end that has been counted.
        self._after_cr = piece[-1:] == b"\r"
        if b"\r" not in piece:
            return piece
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > LONGEST:
            raise exceptions.BadResponse
