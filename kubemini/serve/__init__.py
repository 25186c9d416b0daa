"""The door: a cluster that real clients talk to, over TLS on this machine. ``python -m kubemini serve`` is its name.
The cluster inside is the simulated one, unchanged. What stands here lets real sockets reach it, in this order:

    program       the command line's options → a cluster, listening; signals; the end
    world         which cluster: topology, params, scenario, manifests
    certificates, kubeconfig  an authority of its own, and the file that kubectl reads, with the administrator's key
    pacing        simulated time goes with the clock on the wall, and a little ahead while somebody waits
    door          a program of the simulation: one simulated connection for each real one
    listening     sockets, TLS and HTTP/1.1, by Tornado; here alone bytes of the network are read
    auditlog      the policy of the audit log, and the file that it is written to
    console, notebook         lines on standard input: ``crash apiserver-2``; the whole door for a notebook's cells

Invariant: the rest of kubemini knows nothing of this room, and of Tornado and cryptography only this room knows.
"""
