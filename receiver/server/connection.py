"""One connection between its requests."""

import fcntl
import re
import socket
import struct
import termios
from functools import cache
from typing import Any

from gunicorn.workers.gthread import TConn

from receiver.core import limits
from receiver.server.answer import Outgoing
from receiver.server.pace import Ending, PacedSocket, Places
from receiver.server.request import Request, Unreader

STAY = struct.pack(
    "ll", 0, 100_000
)  # struct timeval, socket(7): µs a thread awaits the next request: a platform that has more sends it at once
UNSENT = 16 * 1024  # bytes the kernel takes beyond what is on the way: it would take all answers of who never reads
POST = b"POST "  # how a delivery begins
BLANK_LINE = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)  # RFC 9110 §8.6
COUNT = struct.Struct("i")  # int, ioctl_tty(2): FIONREAD, bytes that have arrived
HEAD_READ = 4 * 1024  # bytes asked for at once while a head is awaited: what follows it is copied several times


@cache
def address_of(listener: socket.socket) -> Any:
    """Return where a listener listens, which never changes."""
    return listener.getsockname()


class Connection(TConn):  # type: ignore[misc]
    """One connection, and as much of the next head as has arrived on it."""

    def __init__(
        self, cfg: Any, sock: socket.socket, client: Any, server: Any, *, ending: Ending, places: Places
    ) -> None:
        super().__init__(cfg, sock, client, server)
        sock.setblocking(True)  # only a thread that awaits a head waits; all else passes MSG_DONTWAIT
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, STAY)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self.outgoing = Outgoing(sock)
        self.unreader = Unreader(PacedSocket(sock, self.outgoing, ending, places))
        self.head = bytearray()
        self.count = 0  # requests so far
        self.awaited: Any = None  # the Request whose body is on its way
        self.delivers = False  # whether its request may be a delivery
        self.slow = False  # whether it is taken in by the thread of those who hold others up
        self.late = False  # whether a small body had not arrived with its head, while all turns were taken
        self.kept = False  # whether it is kept open once its answer is sent
        self.closes_at = 0.0  # monotonic seconds, once it lingers

    def receive_head(self, *, wait: bool = False) -> bool:
        """Take in what has arrived of the next head; return whether the sender has ended."""
        try:
            received = self.sock.recv(HEAD_READ, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            self.head.clear()
            return True
        self.head += received
        return not received

    def next_request(self) -> Request:
        """Return the request whose body was awaited, else the next one.

        Raises what gunicorn raises of a head.
        """
        if self.awaited is None:
            self.count += 1
            return Request(self.cfg, self.unreader, self.client, self.count)
        request: Request
        request, self.awaited = self.awaited, None
        return request

    def is_cut_off(self) -> bool:
        """Return whether its sender has ended within a body that the poller waited for."""
        return self.awaited is not None and self.awaited.ahead.cut_off

    def is_at_rest(self) -> bool:
        """Return whether nothing is on its way in or out for which the poller is to wait."""
        return self.awaited is None and not self.outgoing.rest

    def goes_on(self) -> bool:
        """Wait for the next head, for a limited time; return whether parsing can go on.

        Half a head, and a sender who has ended, are left to the poller, which sees them again.
        """
        if not self.is_at_rest():
            return False
        if not self.has_next():
            self.receive_head(wait=True)
        if self.can_be_parsed():
            self.hand_over()
            return True
        return False

    def has_next(self) -> bool:
        """Return whether a part of the next head is here: the sender did not wait."""
        self.head += self.unreader.take_buffered()
        return bool(self.head)

    def hand_over(self) -> None:
        """Give the head that has arrived to the parser."""
        self.delivers = self.head.startswith(POST)
        self.unreader.unread(bytes(self.head))
        self.head.clear()

    def missing_of_body(self) -> int:
        """Return how many bytes of a delivery that is small have not arrived with its head."""
        end = self.head.find(BLANK_LINE)
        length = LENGTH.search(self.head, 0, end + 2)
        if length is None or int(length[1]) > limits.AHEAD or not self.head.startswith(POST):
            return 0
        (unread,) = COUNT.unpack(fcntl.ioctl(self.sock, termios.FIONREAD, bytes(COUNT.size)))
        arrived: int = len(self.head) - end - len(BLANK_LINE) + unread
        return int(length[1]) - arrived

    def can_be_parsed(self) -> bool:
        """Return whether the parser needs no more: the head is whole, or wrong already."""
        return BLANK_LINE in self.head or self.head.count(b"\n") != self.head.count(b"\r\n")
