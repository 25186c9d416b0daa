"""Faults: one frozen dataclass a fault. A schedule of faults is data, checked before the run begins.

faults.Crash("etcd-1")                      a fault
faults.parse(["12s", "crash", "etcd-1"])    an instant and a fault, as in a scenario file or a command
"""

from kubemini.faults.faults import (
    ACTIONS,
    AlarmDisarm,
    Compact,
    Crash,
    Cut,
    Defrag,
    Fault,
    FaultError,
    Heal,
    Latency,
    LoseDisk,
    Loss,
    MemberAdd,
    MemberPromote,
    MemberRemove,
    Pause,
    PowerOff,
    PowerOn,
    Restart,
    Resume,
    SlowDisk,
    ZoneOutage,
    ZoneRestore,
)
from kubemini.faults.plan import Planned, parse, parse_all, schedule

__all__ = [
    "ACTIONS",
    "AlarmDisarm",
    "Compact",
    "Crash",
    "Cut",
    "Defrag",
    "Fault",
    "FaultError",
    "Heal",
    "Latency",
    "LoseDisk",
    "Loss",
    "MemberAdd",
    "MemberPromote",
    "MemberRemove",
    "Pause",
    "Planned",
    "PowerOff",
    "PowerOn",
    "Restart",
    "Resume",
    "SlowDisk",
    "ZoneOutage",
    "ZoneRestore",
    "parse",
    "parse_all",
    "schedule",
]
