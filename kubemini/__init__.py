"""kubemini: a small, deterministic Kubernetes cluster that readers can break.

The map, in five wings (imports point from the end of this list to its head):

I    VOCABULARY: values
    params.py       every period, timeout and limit, by its real name, with its legal range and source
    networkparams.py  the same of what carries packets and names;  etcdparams.py  of etcd and its clients
    ranges.py       kinds of settings: what a value may be, how it is written, what to say if it will not do
    api/            objects as values, kinds, labels, quantities, errors, manifests, patches
    frames/         the frames of WebSocket and SPDY: bytes in, messages out
II   GROUND: what programs stand on; knows no Kubernetes
    sim/            the engine: clock, chance, trace, and the words that a trace can say, one declaration each
    wire/           the wire: latency, loss, cuts; calls and streams, kept connections, addresses that move
    containers/     what runs in a container: programs, one a file; processes, files, ports, memory, a shell; pure
    host/           machines: power, disks, their Linux kernel; programs that start, crash, panic, pause, resume
III  PROGRAMS: one folder a program, its deciders in `decide`; they meet on the wire and in objects
    etcd/           raft: a pure machine, store: revisions, leases, requests (pure too), server: the member that drives
                    them (the driver, then what is above it); its client, its errors
    apiserver/      pipeline: what a request goes through, as one list; http: the same for clients from outside;
                    reading, writing, storage, watch cache, health; a plugin of admission is one file, and so is a kind;
                    customs: the kinds that a CustomResourceDefinition brings to life
    client/         client-go: informers, work queues, leader election
    controllers/  scheduler/  kubelet/  network/  loadbalancer/  metricsserver/: what pods use, told to autoscalers
    users/          people with etcdctl and kubectl (any line that one types), clients of a Service, pods that call each
                    other, pods that keep connections to servers in pods (they ask network/ where a packet goes, and
                    whether a policy lets it)
IV   THE WHOLE: wiring and stories; decides nothing
    cluster/        which programs there are and whom each knows; topologies, steady clients
    commands/       what can be done to a cluster, one file a family;  faults.py  its public name
    scenarios/      named stories as YAML
    simulate.py     a run is a value: run(scenario, seed, commands, until) -> Trace
V    THOSE WHO LOOK: read the trace, touch nothing
    kubectlline.py  a kubectl line in a notebook: what a reader types, and what kubectl prints
    packets.py      one packet walked through a running cluster, by the rules that its kube-proxies have written
    explaining/     why a pod goes where it goes: each plugin's verdict and score for each node; plugins of one's own; a
                    small cluster to ask it of, for the scheduler's table
    requests/       one request walked through the API server's chain: what each stage did to it
    judge/          what a history of requests must satisfy, whoever recorded it
    study/          one question, many seeded runs, a distribution for an answer
    view/           what a trace says: what is true when, in words, tables, columns; and on a real cluster; pure
    widgets/        the same on a screen: in Jupyter, and in JavaScript;  book/  Sphinx, the press, notebooks
    lab/            exercises and their checkers, quizzes
    serve/          the door: real clients at a running cluster, over TLS on this machine
    session.py      what a widget asks;  __main__.py  what a shell asks;  bench/  how fast it is

What most people need is here by name, loaded when first used.
"""

import importlib
from typing import Any

_WHERE = {
    "Cluster": "kubemini.cluster",
    "Params": "kubemini.params",
    "Sim": "kubemini.sim",
    "Trace": "kubemini.sim",
    "run": "kubemini.simulate",
    "show": "kubemini.widgets.jupyter",
    "check": "kubemini.lab",
    "quiz": "kubemini.lab",
    "explain": "kubemini.explaining",
    "plug_in": "kubemini.explaining",
    "trace_packet": "kubemini.packets",
    "trace_request": "kubemini.requests",
    "kubectl": "kubemini.kubectlline",
}
__all__ = [
    "Cluster",
    "Params",
    "Sim",
    "Trace",
    "check",
    "explain",
    "faults",
    "kubectl",
    "plug_in",
    "quiz",
    "run",
    "show",
    "trace_packet",
    "trace_request",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for, so that ``import kubemini`` costs nothing."""
    if name == "faults":
        return importlib.import_module("kubemini.faults")
    if name not in _WHERE:
        raise AttributeError(f"kubemini has no {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(_WHERE[name]), name)
