"""Any commands, in any order, at any time: the run ends, and no program of the cluster ends by a defect of ours."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini import run
from kubemini.commands import ACTIONS, FaultError
from kubemini.commands import arguments as kinds
from kubemini.commands.firewall import RULE
from kubemini.commands.kubectl import KIND, LINE, REPLICAS
from kubemini.commands.members import NEW_OR_EXISTING, NOW_OR_LATER, VOTER_OR_LEARNER
from kubemini.commands.network import DIRECTION
from kubemini.commands.operations import BUMP, REVISION
from kubemini.commands.requests import CONSISTENCY
from kubemini.commands.skew import KEEPER, OFFSET, RATE
from kubemini.commands.watches import KIND as WATCHED
from kubemini.commands.watches import WATCHER
from kubemini.scenarios import load

CONFIG_MAP = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}'
PLAIN = {
    kinds.DURATION: ["0s", "1ms", "3s"],
    kinds.SHARE: [0, 0.5, 1],
    OFFSET: ["0s", "-1h", "90s", -3],
    RATE: [1, "0.5", 1.25, 100],
    kinds.TEXT: ["k", "", "ü", "\0", "v" * 3000],
    kinds.OBJECT_NAME: ["web", "nope", "x"],
    kinds.PLACED_NAME: ["web", "nope", "kube-system/coredns"],
    kinds.MANIFESTS: [CONFIG_MAP, CONFIG_MAP.replace('"x"', '"y", "namespace": "nope"')],
    LINE: [
        "get pods -w",
        "get all -A -o wide",
        "get 'x",
        "\0",
        "describe node",
        "drain worker-1 --force",
        "explain ü.x",
    ],
    KIND: ["pod", "deploy", "ns", "node", "svc", "cm", "lease", "rs"],
    REPLICAS: [0, 1, 5],
    WATCHED: ["Pod", "Lease"],
    DIRECTION: ["", "one-way"],
    CONSISTENCY: ["linearizable", "serializable"],
    VOTER_OR_LEARNER: ["voter", "learner"],
    NOW_OR_LATER: ["now", "later"],
    NEW_OR_EXISTING: ["new", "existing"],
    BUMP: [0, 5, 2**63 - 1],
    REVISION: [0, 1, 7, 2**63 - 1],
    RULE: ["FORWARD -j DROP", "OUTPUT -p udp -m udp --dport 53 -j REJECT"],
}


def values(topology):
    """What each kind of argument may be in *topology*."""
    hosts, members = [h.name for h in topology.hosts], [*topology.members, *topology.spares]
    components = [c for h in topology.hosts for c in h.components]
    zones = sorted({h.zone for h in topology.hosts})
    return PLAIN | {
        kinds.COMPONENT: components,
        kinds.HOST: hosts,
        KEEPER: hosts + components,
        kinds.ZONE: zones,
        kinds.MEMBER: members,
        kinds.MEMBER_OR_ANY: ["", *topology.members],
        kinds.MEMBERS: [*members, ",".join(topology.members)],
        kinds.PLACES: hosts + zones + components,
        WATCHER: [c for c in components if c.startswith("controller-manager")] or components,
    }


def commands(topology):
    """Lists of commands that can be read, most of which can be done."""
    known = values(topology)
    entries = [
        st.tuples(
            st.integers(0, 6000).map("{}ms".format),
            st.just(action),
            *(st.sampled_from(known[argument]) for _, argument in kind.arguments()),
        )
        for action, kind in ACTIONS.items()
    ]
    return st.lists(st.one_of(entries), min_size=1, max_size=6)


def test_every_kind_of_argument_is_thrown():
    known = values(load("members").topology)
    assert all(argument in known for kind in ACTIONS.values() for _, argument in kind.arguments())


@pytest.mark.parametrize(("name", "runs"), [("members", 60), ("first", 25)])
def test_whatever_is_done_to_a_cluster_it_goes_on(name, runs):
    @given(commands(load(name).topology))
    @settings(max_examples=runs, deadline=None)
    def thrown(entries):
        with suppress(FaultError):
            assert not run(name, commands=entries, until="9s").of("panic")

    thrown()
