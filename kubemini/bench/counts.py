"""What is counted: events, exact on every machine, so that tests hold them too."""

from kubemini.bench.table import Result, spread
from kubemini.bench.workloads import YEAR, faulty_year, idle_etcd, write_events
from kubemini.sim.engine import QUIESCENT
from kubemini.sim.units import SECOND


def per_message() -> list[Result]:
    """SimPy events of a message between members that have nothing to do."""
    cluster = idle_etcd(300)
    return [Result("events_per_message", cluster.sim.events / cluster.net.packets)]


def events_saved() -> list[Result]:
    """Events of quiescent runs: exact counts."""
    years = [faulty_year(seed).sim.events for seed in range(5)]
    return [
        Result("quiet_year_events", idle_etcd(YEAR // SECOND, fidelity=QUIESCENT).sim.events),
        Result("year_events", max(years), spread(years)),
        Result("write_events", write_events()),
    ]
