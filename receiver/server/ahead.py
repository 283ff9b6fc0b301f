"""What has arrived of a body before the application reads it: all of a small one, and the beginning of any other."""

import re
import time

from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader

from receiver.core import limits

SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*")  # of a chunk
BARE_LF = re.compile(rb"(?<!\r)\n")
RECEIVED = 64 * 1024  # bytes asked for at once where nobody knows how many are to come


class Ahead:
    """The beginning of one body."""

    def __init__(self, unreader: SocketUnreader, reader: object) -> None:
        """Collect for `reader` what `unreader` holds, and what comes after it."""
        self.held = bytearray(unreader.take_buffered())
        self.over = False  # whether no more of it is waited for
        self._unreader = unreader
        self._paced = unreader.sock
        self._length = reader.length if isinstance(reader, LengthReader) else None
        self._chunks = Chunks()
        self._since = 0.0  # monotonic seconds, when the poller began to wait for more

    def arrives(self, seconds: float) -> bool:
        """Hand the body over to its reader, once enough of it is there; False where it is not within so many seconds.

        In a thread. Raises Problem where no more of it is waited for.
        """
        last = time.monotonic() + seconds
        while not self.receive():
            if self.over:
                raise self._paced.too_late()
            self._paced.ask()
            if not self._paced.comes_within(last - time.monotonic()):
                return False
        self._unreader.unread(bytes(self.held))
        self.held.clear()
        return True

    def receive(self) -> bool:
        """Take in what has arrived; tell whether that is enough: all, as much as is kept, or where the sender ends."""
        while not self._is_enough():
            received = self._paced.receive(self._room())
            if received is None:
                return False
            if not received:
                return True
            self.held += received
        return True

    def pause(self) -> float:
        """Count the time from now on against the sender; return until when it is waited for, as `until` does."""
        self._since = time.monotonic()
        return self.until()

    def until(self) -> float:
        """Return until when the next byte is waited for, in monotonic seconds."""
        moment: float = self._paced.until(self._since)
        return moment

    def resume(self) -> None:
        """End what `pause` began."""
        self._paced.waited(self._since)

    def _is_enough(self) -> bool:
        if len(self.held) >= limits.AHEAD:
            return True
        return self._chunks.have_ended(self.held) if self._length is None else len(self.held) >= self._length

    def _room(self) -> int:
        most: int = RECEIVED if self._length is None else self._length - len(self.held)
        return min(most, limits.AHEAD - len(self.held))


class Chunks:
    """Finds the end of a chunked body (RFC 9112 §7.1) while it arrives; what is malformed is left to its reader."""

    def __init__(self) -> None:
        self._at = 0  # where the line with the size of the next chunk begins
        self._seen = 0  # bytes up to which the trailers have no end

    def have_ended(self, held: bytearray) -> bool:
        """Tell whether the body is whole, or malformed."""
        while (end := held.find(b"\r\n", self._at)) >= 0:
            line = SIZE.fullmatch(held[self._at : end].partition(b";")[0])
            size = int(line[1], 16) if line else 0
            if not line or not size:
                return not line or self._trailers_have_ended(held, end)
            self._at = end + 2 + size + 2
        chunk_ends_wrong = self._at > 0 and not b"\r\n".startswith(bytes(held[self._at - 2 : self._at]))
        return chunk_ends_wrong or len(held) - self._at > limits.MAX_HEADER_SIZE

    def _trailers_have_ended(self, held: bytearray, start: int) -> bool:
        unseen = max(start, self._seen - 3)
        malformed = len(held) - start > limits.MAX_HEAD or BARE_LF.search(held, unseen) is not None
        if malformed or held.find(b"\r\n\r\n", unseen) >= 0:
            return True
        self._seen = len(held)
        return False
