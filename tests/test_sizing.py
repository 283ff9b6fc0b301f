"""What several hosts take: the model of queues, and the statements that PostgreSQL is asked to bear."""

from itertools import pairwise

import pytest

from benchmarks import commits
from benchmarks.sizing import Measured, Station, expected, on_machines, on_one_machine

MEASURED = Measured(host=0.002, database=0.001, sender=0.0001, disk=0.0002, alone=0.008)


def test_one_delivery_at_a_time_takes_the_sum_of_its_times():
    told = expected([Station("one", 0.002, 4), Station("two", 0.003)], 0.005, connections=1)
    assert told.rate == pytest.approx(100)


def test_many_at_a_time_are_as_many_as_the_busiest_station_takes():
    told = expected([Station("one", 0.002, 4), Station("two", 0.003)], 0.005, connections=500)
    assert told.rate == pytest.approx(1 / 0.003, rel=0.01)
    assert told.busiest.name == "two"
    assert told.share == pytest.approx(1, rel=0.01)


def test_two_equal_stations_are_busy_as_the_theory_says():
    """N customers of M equal stations: N / (N + M - 1) of each."""
    told = expected([Station("one", 0.01), Station("two", 0.01)], 0, connections=3)
    assert told.rate == pytest.approx(100 * 3 / 4)


def test_hosts_add_up_until_what_they_share_is_the_limit():
    found = [on_machines(MEASURED, hosts, 2, 2, 16) for hosts in (1, 2, 3, 4, 8, 16, 32)]
    assert all(one.rate <= more.rate for one, more in pairwise(found))
    assert all(each.rate <= each.busiest.limit for each in found)
    assert found[1].rate > 1.5 * found[0].rate
    assert (found[0].busiest.name, found[-1].busiest.name) == ("the hosts", "PostgreSQL")
    assert found[-1].rate == pytest.approx(2 / MEASURED.database, rel=0.01)


def test_on_one_machine_a_second_host_adds_nothing_where_the_processor_is_the_limit():
    one, two = (on_one_machine(MEASURED, 2, connections) for connections in (16, 32))
    assert two.rate < 1.1 * one.rate


def test_what_differs_between_two_deliveries_differs_in_each_transaction():
    id_ = "M7A63YREXRML6ROTPTE7"
    first = [
        "SELECT lock('{-1234567890123,99999999999}')",
        f"INSERT '{id_}', 'script10', 'forms', '2026', '/out/{id_}.tif'",
    ]
    second = ["SELECT lock('{-4321098765432,99999999999}')", f"INSERT '{id_[::-1]}', 'script20', 'forms', '2027', ''"]
    *chosen, lock, insert = commits.script(first, second).splitlines()
    assert lock == "SELECT lock(('{' || :k0 || ',99999999999}')::text[]);"
    assert insert == "INSERT ('N' || :n1), ('N' || :n2), 'forms', '2026', ('/out/N' || :n1 || '.tif');"
    assert [line.split()[:2] for line in chosen] == [["\\set", "k0"], ["\\set", "n1"], ["\\set", "n2"]]


def test_the_shared_disk_is_the_limit_where_postgresql_has_cores_enough():
    told = on_machines(MEASURED, 32, 4, 64, 16)
    assert told.busiest.name == "the shared disk"
    assert told.rate == pytest.approx(1 / MEASURED.disk, rel=0.01)
