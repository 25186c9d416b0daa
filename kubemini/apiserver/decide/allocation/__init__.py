"""What a Service holds for itself alone: cluster IPs and node ports; how it keeps them, and is given them.

    services.py   allocated(service, ...): with every address it needs, or the refusal; claims(object): keys in etcd
    families.py   IPv4, IPv6 or both: what a Service is silent about, and which wishes do not go together
    cidrs.py      the ServiceCIDRs that a server knows of, and which of their ranges give addresses
    ranges.py     one range: its static band, where a search begins, and how it goes on
    repair.py     IPAddresses that somebody has changed by hand, set right
    ports.py      node ports, in the same way
    carried.py    a Service that is written anew: what its writer left out stays, what its type has no use for goes

Theory of operation. An address belongs to whoever has its key in etcd: ``/registry/ipaddresses/10.96.0.10``, which
holds the IPAddress object. A Service and the keys of its addresses are written by one transaction that demands that the
keys it adds are absent; so two API servers that are asked at the same instant cannot give one address twice, and none
leaks when a server dies half-way. Drawn addresses that turn out to be taken are drawn again; one that was asked for
is refused. The same transaction demands that no ServiceCIDR is newer than those that the server decided by; if one is,
the failed transaction brings them all, and the server decides anew. So it needs no watch of a kind that hardly ever
changes.
Simplified: the real server hears of ServiceCIDRs by a watch, and writes an IPAddress before its Service; node ports are
bits of one object there. Its repair loop mends, too, what a crash between two writes leaves; here is no such moment.
"""
