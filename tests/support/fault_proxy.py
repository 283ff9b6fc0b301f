"""A proxy before PostgreSQL that cuts a connection at one statement: before it, in it, or after it was answered."""

import socket
import socketserver
import threading
from contextlib import suppress
from pathlib import Path

HOW = ("before", "in", "after")


class Proxy(socketserver.ThreadingTCPServer):
    """Listens on the loopback and hands on to the server's socket, until it is armed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.server_socket = str(folder / ".s.PGSQL.5432")
        self.left: int | None = None  # statements until the cut
        self.how = ""
        self.mutex = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def arm(self, statement: int, how: str) -> None:
        """Cut the connection at a statement from now on, counted from 0."""
        with self.mutex:
            self.left, self.how = statement, how

    def disarm(self) -> bool:
        """Cut nothing any more; return whether something was cut."""
        with self.mutex:
            cut, self.left = self.left == -1, None
        return cut

    def cuts(self) -> str:
        """Count a statement; return how it is cut, "" if it is not."""
        with self.mutex:
            if self.left is None or self.left < 0:
                return ""
            self.left -= 1
            return self.how if self.left < 0 else ""

    def url(self, url: str) -> str:
        """Return the URL of a database by way of the proxy."""
        path, _, options = url.partition("?")
        kept = [each for each in options.split("&") if not each.startswith("host=")]
        address = f"host=127.0.0.1&port={self.server_address[1]}&sslmode=disable&gssencmode=disable"
        return f"{path}?{'&'.join([address, *kept])}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


class _Connection(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        self.silent = threading.Event()  # the server's answer is not handed on any more
        self.answered = threading.Event()
        with socket.socket(socket.AF_UNIX) as self.database, suppress(OSError):
            self.database.connect(self.server.server_socket)
            answering = threading.Thread(target=self.hand_back, daemon=True)
            answering.start()
            self.database.sendall(self.message(typed=False))  # the startup message has no type
            while self.hand_on():
                pass
            for each in (self.request, self.database):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            answering.join()

    def hand_on(self) -> bool:
        """Hand on one statement; return whether the connection goes on."""
        sent = message = b""
        while message[:1] not in (b"Q", b"S", b"X"):  # a simple query, the end of what is sent at once, the end of all
            message = self.message()
            if not message:
                return False
            sent += message
        how = self.server.cuts()
        if how == "before":
            return False
        if how == "after":
            self.answered.clear()
            self.silent.set()
        self.database.sendall(sent[: len(sent) // 2] if how == "in" else sent)
        if how == "after":
            self.answered.wait(60)
        return not how

    def message(self, *, typed: bool = True) -> bytes:
        head = self.exactly(5 if typed else 4)
        return head and head + self.exactly(int.from_bytes(head[-4:]) - 4)

    def exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size and (more := self.request.recv(size - len(found))):
            found += more
        return found if len(found) == size else b""

    def hand_back(self) -> None:
        with suppress(OSError):
            while answer := self.database.recv(65536):
                if self.silent.is_set():
                    self.answered.set()
                else:
                    self.request.sendall(answer)
        self.answered.set()
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
