"""How many connections each worker has, and which one takes the next.

All workers wait at the same sockets, and whichever wakes first takes what comes. Of 16 connections that a sender keeps
open one worker often had 15, while the other had nothing to do: a third of all that both can do. So one that has more
than another leaves the next connection to that one, for a moment.
"""

import mmap
import time

PLACES = 64  # workers at once; one beyond takes in what it gets
AHEAD = 1  # connections more than another has: evened out, two workers would take turns and wait for each other
MOMENT = 0.001  # seconds that the other needs to wake on a busy machine; one that hangs delays each connection so long
SIZE = 4  # bytes of one count
NOBODY = -1


class Balance:
    """The counts, in memory that workers share with the process that starts them."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, PLACES * SIZE)).cast("i")
        for place in range(PLACES):
            self.leave(place)

    def join(self) -> int | None:
        """Return the place of a new worker, which has no connection yet; None if there is none left.

        For the process that starts workers alone.
        """
        for place, count in enumerate(self._counts):
            if count == NOBODY:
                self._counts[place] = 0
                return place
        return None

    def leave(self, place: int | None) -> None:
        """Count a worker no longer."""
        self.tell(place, NOBODY)

    def tell(self, place: int | None, connections: int) -> None:
        """Say how many connections a worker has."""
        if place is not None:
            self._counts[place] = connections

    def give_way(self, connections: int) -> None:
        """Leave the next connection for a moment to a worker that has fewer, if there is one."""
        others = [count for count in self._counts if count != NOBODY]
        if others and connections > min(others) + AHEAD:
            time.sleep(MOMENT)
