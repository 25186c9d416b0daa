"""Faults: one frozen dataclass a fault. A schedule of faults is data, checked before the run begins.

faults.Crash("etcd-1")                      a fault
faults.parse(["12s", "crash", "etcd-1"])    an instant and a fault, as in a scenario file or a command
"""

from kubemini.faults.faults import (
    Crash,
    Cut,
    Fault,
    FaultError,
    Heal,
    Latency,
    LoseDisk,
    Loss,
    Pause,
    PowerOff,
    PowerOn,
    Restart,
    Resume,
    SlowDisk,
    Stop,
    ZoneOutage,
    ZoneRestore,
)
from kubemini.faults.plan import ACTIONS, Planned, parse, parse_all, schedule
from kubemini.faults.upkeep import (
    AlarmDisarm,
    Compact,
    Defrag,
    MemberAdd,
    MemberPromote,
    MemberRemove,
    MoveLeader,
    SnapshotRestore,
    SnapshotSave,
)

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
    "MoveLeader",
    "Pause",
    "Planned",
    "PowerOff",
    "PowerOn",
    "Restart",
    "Resume",
    "SlowDisk",
    "SnapshotRestore",
    "SnapshotSave",
    "Stop",
    "ZoneOutage",
    "ZoneRestore",
    "parse",
    "parse_all",
    "schedule",
]
