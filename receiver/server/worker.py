"""The worker: gunicorn's threaded one, whose threads wait for no sender.

    accept ──▶ head arrives ──▶ thread: judge the head ──▶ take the body, answer ◀─▶ the next, if it comes at once
               `Heads`                ▲           │                          │
                                      └─ `Bodies` ┘ if the body              ├──▶ `Answers`, if the answer is not
                                                    is not there yet         │     taken in at once
                                                                             ├──▶ kept open ──▶ head arrives …
                                                                             └──▶ the last one is taken in: `Lingering`

gunicorn's own gives a thread to each connection that has sent a byte, and closes connections in its main loop, where
one that does not end holds up all others for two seconds. Here the poller does all that waits: a sender that
sends byte by byte, does not read, or never hangs up, costs memory and no thread.
"""

import errno
import gc
import selectors
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import NoMoreData
from gunicorn.workers import gthread

from receiver import log
from receiver.core import limits, processors
from receiver.core.problems import Problem
from receiver.core.work import Turns
from receiver.server import memory, refusals
from receiver.server.answer import Answer, Outgoing
from receiver.server.balance import Balance
from receiver.server.connection import Connection, address_of
from receiver.server.pace import Ending, Places
from receiver.server.refusals import Closed
from receiver.server.request import Request
from receiver.server.waiting import Answers, Bodies, Heads, Lingering, Waiting
from receiver.web.deliveries import PACED, BodyAwaited

STOPS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
LOOK = 0.1  # seconds between two looks at all connections that wait
REST = 4  # times as long as it took to judge one that is late or cut off: they take a fifth of a processor at most
SIGN_OF_LIFE = 1.0  # seconds between two of them: gunicorn's own loop gives one with each event, and waits for 60


class Worker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn starts; `worker_class` names it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told_early: SimpleQueue[int] = SimpleQueue()  # signals; see `init_signals`
        self.balance = Balance()  # that of all workers, once this one is to be started
        self.place: int | None = None  # in it
        self._turns = Turns(limits.AT_WORK)
        self._ending = Ending()
        self._places = Places(limits.READING)
        self._with_threads = 0  # connections whose requests threads are to take in; counted by the main loop alone
        self._signs_at = 0.0  # monotonic seconds, when it next gives a sign of life
        self._looks_at = 0.0  # and when it next looks what took too long

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse at the start what this worker does not do."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise SystemExit("certfile: TLS ends at the proxy before this service; see deploy/nginx.conf")

    def load_wsgi(self) -> None:
        """Open everything; if the ledger or a disk fails, answer 503 and try again."""
        memory.keep()
        try:
            self._begin_to_serve()
        except Problem as problem:
            self.wsgi = closed = Closed(problem)
            again = (self._begin_to_serve,)
            threading.Thread(target=closed.try_again, args=again, name="opening", daemon=True).start()

    def _begin_to_serve(self) -> None:
        super().load_wsgi()
        gc.freeze()  # all that stays: to look through it for garbage held every delivery up for 70 ms

    def run(self) -> None:
        """Serve."""
        if self.place is not None:
            processors.bind(self.ppid + self.place)  # from another one on than the next service of this host
        settings = {name: each.get() for name, each in self.cfg.settings.items()}
        self.cfg.__dict__.update(settings)  # a look at one goes through three functions otherwise
        self._pages = ThreadPoolExecutor(limits.PAGES)
        self._slow = ThreadPoolExecutor(1)
        self._lingering = Lingering(self.poller, self._close)
        self._heads = Heads(self.poller, self._begin, self._refuse, self._close)
        self._bodies = Bodies(self.poller, self._enter, self._close)
        self._answers = Answers(self.poller, self._answered, self._close)
        super().run()
        for threads in (self._pages, self._slow):
            threads.shutdown(wait=False)

    def init_signals(self) -> None:
        """Listen to signals from here on, and stop if one came before.

        Until then a worker has the handler of its master, which queues what comes in the worker's copy of a queue
        that nobody reads: if it is to stop so early, it would serve on until it is killed.
        """
        super().init_signals()
        while not self.told_early.empty():
            if self.told_early.get() in STOPS:
                self.alive = False

    # a request begins

    def accept(self, listener: socket.socket) -> None:
        """Take in a connection, if no worker with fewer does."""
        self.balance.give_way(self.nr_conns)
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        server = address_of(listener)
        self._heads.add(Connection(self.cfg, client, address, server, ending=self._ending, places=self._places))

    def _make_room(self) -> None:
        """Close the slowest connection if there are too many."""
        waiting: list[Waiting] = [self._heads, self._bodies, self._answers, self._lingering]
        fullest = max(waiting, key=len)
        if fullest:
            fullest.drop()

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Take in the next request of a connection that was kept open."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._heads.add(conn)

    def _begin(self, conn: Connection) -> None:
        """Give a request whose head is there to a thread."""
        conn.late = self._with_threads >= limits.AT_WORK and conn.missing_of_body() > 0
        conn.hand_over()
        self._enter(conn)

    def _enter(self, conn: Connection) -> None:
        self._with_threads += 1
        self.enqueue_req(conn)

    def enqueue_req(self, conn: Connection) -> None:
        """Give a connection to a thread: one of those for pages, if it is no delivery.

        If others wait, those whose body is not there yet have one thread together, as those have that are cut off: a
        proxy that starts anew begins and ends a thousand bodies at the same moment, and whole deliveries do not wait
        behind them.
        """
        conn.slow = self._is_slow(conn)
        threads = self._slow if conn.slow else self.tpool if conn.delivers else self._pages
        threads.submit(self._serve, conn)

    def _serve(self, conn: Connection) -> None:
        """Handle a connection in a thread, and have the main loop go on with it."""
        conn.kept = False  # should it fail
        try:
            conn.kept = self.handle(conn)
        finally:
            self.method_queue.defer(self.finish_request, conn)

    def handle(self, conn: Connection) -> bool:
        """Take and answer requests in a thread, as long as the sender is quick.

        The way back through the main loop, and to another thread, takes a tenth of the CPU of a delivery.
        """
        if conn.slow:
            return self._take_in_slow(conn)
        if not conn.delivers:
            return self.take_in(conn)
        with self._turns:
            kept = self.take_in(conn)
        while kept and self._may_stay() and conn.goes_on():
            with self._turns:
                kept = self.take_in(conn)
        return kept

    def _is_slow(self, conn: Connection) -> bool:
        return conn.is_cut_off() or (conn.late and conn.awaited is None)

    def _take_in_slow(self, conn: Connection) -> bool:
        """Judge a head alone, or refuse a body that is cut off; leave the processor to others for a while."""
        begun = time.thread_time()
        kept = self.take_in(conn)
        time.sleep(REST * (time.thread_time() - begun))
        return kept

    def take_in(self, conn: Connection) -> bool:
        """Take a request in, answer it, and return whether its connection is kept."""
        try:
            request = conn.next_request()
            return self.handle_request(request, conn)
        except BodyAwaited:
            conn.awaited = request
            return True
        except (StopIteration, NoMoreData, ConnectionError):
            return False  # the sender has gone
        except OSError:
            self.log.exception("Socket error processing request.")
            return False
        except Exception as error:  # noqa: BLE001 (of the head, as a rule)
            self.handle_error(None, conn.outgoing, conn.client, error)
            return False

    def _await_body(self, request: Request, conn: Connection) -> None:
        """Go on once the beginning of a body has arrived; else leave it to the poller.

        Raises as `Ahead.arrives`.
        """
        if conn.slow and not request.ahead.cut_off:
            raise BodyAwaited
        if not request.ahead.arrives(limits.MOMENT if self._may_stay() else 0):
            raise BodyAwaited

    def _may_stay(self) -> bool:
        """Return whether a thread may stay with its connection: no other waits for one."""
        return self.alive and self._with_threads <= self.cfg.threads

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer one request; return whether its connection is kept.

        As gunicorn does, in one packet.
        """
        begun = time.monotonic()
        answer, environ = wsgi.create(req, conn.outgoing, conn.client, conn.server, self.cfg, response_class=Answer)
        environ["wsgi.multithread"] = True
        environ[PACED] = partial(self._await_body, req, conn)
        pieces = self.wsgi(environ, answer.start_response)
        self._grow_older()
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            answer.force_close()
        try:
            for piece in pieces:
                answer.write(piece)
            answer.close()
        finally:
            self.log.access(answer, req, environ, timedelta(seconds=time.monotonic() - begun))
            if hasattr(pieces, "close"):
                pieces.close()
        return not answer.should_close()

    def _grow_older(self) -> None:
        """Count a request; after `max_requests` the worker is replaced."""
        self.nr += 1
        if self.nr >= self.max_requests:  # threads count: one may see past it
            self.alive = False

    # a request, or a connection, ends

    def finish_request(self, conn: Connection) -> None:
        """Go on with a connection whose request a thread is done with."""
        self._with_threads -= 1
        if conn.awaited:
            self._bodies.add(conn)
        else:
            self._send_rest(conn)

    def _send_rest(self, conn: Connection) -> None:
        if conn.outgoing.rest:
            self._answers.add(conn)
        else:
            self._answered(conn)

    def _answered(self, conn: Connection) -> None:
        """Go on with a connection whose answer is sent."""
        if not conn.kept:
            self._lingering.add(conn)
        elif conn.has_next():
            self._heads.add(conn)
        else:
            self._keep(conn)

    def _keep(self, conn: Connection) -> None:
        """Wait for a connection's next request, briefly if the service stops."""
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + gthread.STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn))

    def handle_error(self, _req: Any, client: Outgoing, _addr: Any, exc: Exception) -> None:
        """Answer a request that cannot be parsed or failed here; in a thread."""
        problem = refusals.judge(exc)
        log.refused(problem, "-")
        with suppress(OSError):
            client.sendall(refusals.answer(problem))

    def _refuse(self, conn: Connection, problem: Problem) -> None:
        """Answer a connection whose head will not be awaited any longer."""
        log.refused(problem, "-")
        conn.kept = False
        with suppress(OSError):
            conn.outgoing.sendall(refusals.answer(problem))
        self._send_rest(conn)

    def _close(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    # time

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what comes next, but not beyond the next look if there is any."""
        waiting = any((self._heads, self._bodies, self._answers, self._lingering))
        super().wait_for_and_dispatch_events(min(timeout, LOOK) if waiting else timeout)

    def notify(self) -> None:
        """Give the master a sign of life; gunicorn asks with each event."""
        if self.alive:
            self.balance.tell(self.place, self.nr_conns)
        now = time.monotonic()
        if now >= self._signs_at:
            self._signs_at = now + SIGN_OF_LIFE
            super().notify()

    def murder_pending(self) -> None:
        """Give up what took too long, or the last place; gunicorn asks at each event."""
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        now = time.monotonic()
        if now >= self._looks_at:
            self._looks_at = now + LOOK
            self._heads.refuse_late(refusals.too_slow() if self.alive else refusals.shutting_down())
            for each in (self._bodies, self._answers, self._lingering):
                each.give_up()

    def _cap_keepalive(self, deadline: float) -> None:
        """Wait no longer than `deadline` for what may yet come, once the service stops."""
        super()._cap_keepalive(deadline)
        self.balance.leave(self.place)
        self._ending.begin(self.cfg.graceful_timeout)
        self._bodies.shorten(self._ending.at)
        for each in (self._heads, self._answers, self._lingering):
            each.shorten(deadline)
