"""The normal load: deliveries at a steady rate, each timed from the moment at which it was due.

A process of its own: what it measures is the service, and not the attackers' Python.
"""

import asyncio
import json
import sys
import time

from tests.siege.asking import asked, delivery

RATE = 20  # deliveries a second: a busy hospital sends 2
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Load:
    """What came of the deliveries of one run."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        self.name = name
        self.seconds: list[float] = []
        self.health: list[float] = []
        self.wrong: list[str] = []

    async def run(self, seconds: float) -> None:
        """Deliver for so long, and wait for all answers."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(seconds * RATE)):
                due = begun + number / RATE
                await asyncio.sleep(max(0, due - time.monotonic()))
                group.create_task(self._deliver(f"{self.name}-{number}", due))
                if number % RATE == 0:
                    group.create_task(self._look(due))

    async def _deliver(self, source_id: str, due: float) -> None:
        answer = await asked(self.port, delivery(source_id))
        self.seconds.append(time.monotonic() - due)
        if answer.status != 200 or (answer.json["sourceId"], answer.json["duplicate"]) != (source_id, False):
            self.wrong.append(f"{source_id}: {answer.status} {answer.body[:200]!r}")

    async def _look(self, due: float) -> None:
        answer = await asked(self.port, HEALTH)
        self.health.append(time.monotonic() - due)
        if answer.status != 200:
            self.wrong.append(f"/healthz: {answer.status}")


if __name__ == "__main__":
    load = Load(int(sys.argv[1]), sys.argv[2])
    asyncio.run(load.run(float(sys.argv[3])))
    json.dump({"seconds": load.seconds, "health": load.health, "wrong": load.wrong}, sys.stdout)
