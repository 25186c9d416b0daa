"""``python -m tests.oracles.ha.real NAME…`` (`make record`): the project's own recordings of the real cluster.

Each named trial, or all that the book shows, is run in a room of its own and written to recorded/NAME.json.gz. What a
run shows on a busy machine is not for the book: its load is printed, and stands in the file.
"""

import json
import sys
from pathlib import Path

from tests.oracles.build import Missing
from tests.oracles.ha.real import trials
from tests.oracles.ha.real.room import Unfit
from tests.oracles.ha.real.run import Broken, record, written

FOLDER = Path(__file__).resolve().parents[1] / "recorded"
SHOWN = (
    "stacked_etcd_follower_kill",
    "stacked_etcd_leader_kill",
    "stacked_etcd_quorum_kill",
    "stacked_etcd_follower_hang",
    "stacked_etcd_leader_term",
    "external_etcd_follower_kill",
    "external_etcd_follower_hang",
    "stacked_api_kill",
    "stacked_api_hang",
    "stacked_all_api_kill",
    "external_etcd_quorum_kill",
    "stacked_etcd_quorum_hang",
    "stacked_host_power_off",
    "stacked_host_cut",
    "stacked_balancer_kill",
    "stacked_kcm_sched_term",
    "stacked_keepalived_power_off",
)


def main(names):
    """Record *names*, or all that are shown; 1 if one could not be."""
    unknown = [name for name in names if name not in trials.NAMED]
    if unknown:
        print(f"there is no trial {unknown[0]}; there are: {', '.join(trials.NAMED)}", file=sys.stderr)
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name in names or SHOWN:
        try:
            told = record(name)
        except (Missing, Unfit, Broken) as error:
            print(error, file=sys.stderr)
            return 1
        written(told, FOLDER / f"{name}.json.gz")
        bad = {k: (v["failed"], v["ok_but_over_1s"]) for k, v in told["client"].items() if isinstance(v, dict)}
        print(f"{name}: load {told['loadavg_1m']}, (failed, slow) {json.dumps(bad)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
