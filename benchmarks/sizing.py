"""How many deliveries a second a number of hosts takes: a model of queues, fed by what `hosts.py` has measured.

Each station does its work for one delivery after the other, or for as many at once as it has servers; a delivery goes
through all of them, and waits where somebody else is served. Deliveries on their way are as many as there are
connections. The mean values are computed exactly for one server (Reiser and Lavenberg, 1980); a station of several is
taken for a faster one and a wait for nobody (Seidmann, 1987), which is a little too low where it is half busy.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Station:
    """What every delivery needs, and how long for."""

    name: str
    seconds: float  # of one server for one delivery
    servers: float = 1

    @property
    def limit(self) -> float:
        """The most deliveries a second that it takes."""
        return self.servers / self.seconds if self.seconds else float("inf")


@dataclass(frozen=True)
class Expected:
    """What is to be expected of some stations under some load."""

    rate: float  # deliveries a second
    busiest: Station

    @property
    def share(self) -> float:
        """How much of the time the busiest station is busy: 0 to 1."""
        return self.rate / self.busiest.limit


def expected(stations: Sequence[Station], waiting: float, connections: int) -> Expected:
    """Return the rate for so many connections, each of which also waits some seconds for nobody in each delivery."""
    single = [station.seconds / station.servers for station in stations]
    waiting += sum(station.seconds - one for station, one in zip(stations, single, strict=True))
    lengths = [0.0] * len(single)
    rate = 0.0
    for number in range(1, connections + 1):
        times = [one * (1 + length) for one, length in zip(single, lengths, strict=True)]
        rate = number / (waiting + sum(times))
        lengths = [rate * time for time in times]
    return Expected(rate, min(stations, key=lambda station: station.limit))


@dataclass(frozen=True)
class Measured:
    """What one delivery costs, in seconds, as it was measured."""

    host: float  # processor of a host
    database: float  # processor of PostgreSQL
    sender: float  # processor of the load generator
    disk: float  # of the shared disk, if it is fully used
    alone: float  # from request to answer, with nothing else to do

    @property
    def waiting(self) -> float:
        """The seconds of a delivery in which no processor and no shared station works for it."""
        return max(0.0, self.alone - self.host - self.database - self.sender - self.disk)


def on_one_machine(measured: Measured, cores: int, connections: int) -> Expected:
    """Return what hosts, PostgreSQL and the load generator do on the cores of one machine."""
    processor = measured.host + measured.database + measured.sender
    stations = [Station("the processor", processor, cores), Station("the disk", measured.disk)]
    return expected(stations, measured.waiting, connections)


def on_machines(measured: Measured, hosts: int, cores: int, database_cores: int, connections: int) -> Expected:
    """Return what hosts of their own do, beside a machine for PostgreSQL and a shared disk."""
    stations = [
        Station("the hosts", measured.host, hosts * cores),
        Station("PostgreSQL", measured.database, database_cores),
        Station("the shared disk", measured.disk),
    ]
    return expected(stations, measured.waiting, hosts * connections)
