"""The story of two balancers that share an address, and the parameters that matter in it: see stories.py."""

from typing import Any

PAIR: dict[str, Any] = {
    "title": "t",
    "topology": {"kind": "stacked", "members": 1, "workers": 0, "load_balancers": 2},
    "workload": {"api_writes": {"every": "1s"}},
    "faults": [
        ["15s", "pause", "haproxy-1"],
        ["55s", "resume", "haproxy-1"],
        ["70s", "cut", "lb-2", "client-1"],
        ["70500ms", "power_off", "lb-1"],
        ["75s", "heal"],
        ["85s", "power_on", "lb-1"],
        ["95s", "cut", "lb-1", "lb-2"],
        ["105400ms", "heal"],
    ],
    "until": "150s",
}
PAIR_MATTERS: dict[str, Any] = {
    "keepalived_priority": 99,
    "keepalived_backup_priority": 102,
    "keepalived_advert_int": 2,
    "keepalived_nopreempt": True,
    "keepalived_garp_master_delay": 2,
    "keepalived_check_interval": 5,
    "keepalived_check_timeout": "500ms",
    "keepalived_fall": 3,
    "keepalived_rise": 5,
    "keepalived_weight": -1,
    "arp_reachable_time": "2s",
}
