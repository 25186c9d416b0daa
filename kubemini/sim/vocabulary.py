"""The closed table of what a record can say: `what` → the actor and the fields of `detail`.

`Sim.record` refuses any other word, so a widget or checker that knows this table knows every trace.
"""

WHAT: dict[str, str] = {
    # programs and machines
    "start": "a component starts; {}",
    "crash": "a component dies, its memory is gone; {}",
    "panic": "a component's own code fails; {type, message: of the exception, where: in our code}; it crashes of it",
    "exit": "a component ends by itself, or because it was told to, in peace; {why}",
    "pause": "a component stands still, as after SIGSTOP; {}",
    "resume": "it goes on; {}",
    "power_off": "a host loses power: memory gone, disk kept; {}",
    "power_on": "the host boots and starts its components; {}",
    "slow_disk": "a host's fsync takes longer from now on; {extra: µs}",
    # the wire; the actor is "network"
    "cut": "two groups of hosts cannot reach each other; {a: [hosts], b: [hosts], one_way: bool}",
    "heal": "all cuts are gone; {}",
    "latency": "a link's latency changes; {a, b, low: µs, high: µs}",
    "loss": "a link loses packets; {a, b, p}",
    # Raft; the actor is an etcd member
    "role": "a member changes role, term or leader; {role: follower|pre-candidate|candidate|leader, term, lead}",
    "vote": "a member votes; {for, term}",
    "timer": "its election timer, when it is drawn or found rewound; {since: last wound up, until: it campaigns unless"
    " it hears of a leader, timeout: µs}",
    "append": "its log grows; {index, term}: the last entry now",
    "truncate": "conflicting entries are cut off; {index}: the first one gone",
    "commit": "its commit index moves; {index}",
    "apply": "its store has applied up to here; {index, revision}",
    "message": "a Raft message other than a heartbeat; {to, type, term, arrives: µs or null if lost}",
    "compact": "its log forgets the entries up to here, long since applied; {index}",
    "snapshot": "log and store are replaced by a leader's snapshot; {index: of its last entry, revision}",
    "restore": "a stopped member gets a data directory made from a backup; {revision, members: of the new cluster,"
    " cluster: its id (1 is the first), kv: {key: [value, revision]}}",
    "membership": "the members change: the first member applied it; {voters: [names], learners: [names]}",
    "room": "its database file, when that or what is used of it has changed by 1/64 of the quota; {size, in_use, quota:"
    " bytes}",
    "alarm": "an alarm is raised or disarmed: the first member applied it; {member, alarm, raised: bool}",
    "kv": "a revision exists: the first member applied it; {key, value or null, revision}",
    # the control plane
    "ready": "an API server's /readyz changes; {ready, why}; the actor is the API server",
    "backend": "a load balancer changes its mind; {server, up, why}",
    "holder": "a component takes a leader-election Lease; {lease, holder}",
    "object": "an API object changed; {verb: ADDED|MODIFIED|DELETED, kind, namespace, name, revision, summary}",
    "decision": "a scheduler decides about a pod; {pod, node or '', rejected: {node: [plugin, [reasons]]},"
    " scores: {node: {plugin: 0..100}}, totals: {node: weighted sum}}",
    # the nodes
    "pod": "what really runs on a host; {name, namespace, app, ready, ip,"
    " state: starting|running|exited|stopping|gone}",
    "rules": "what a host's kernel is programmed with; {service, ip, endpoints: [{pod, ip, node}]}",
    # clients
    "request": "a client's request ends; {id, kind: api|service|etcd, verb, path, via, outcome: ok|failed|unknown,"
    " started: µs, code, why, value: that was to be written to etcd, answer: what was read from etcd,"
    " said: what kubectl apply prints}",
    "command": "somebody did something to the cluster; {action, args}; the actor is you or scenario",
    "note": "a remark; {text}",
}
