"""Two balancers and the address that they share, written by keepalived; the nodes behind a cloud's balancer."""

from kubemini.sim.vocabulary.word import CLOUD, KEEPALIVED, word

word(
    "vrrp",
    KEEPALIVED,
    "a keepalived changes its state or its priority; {state: MASTER|BACKUP, priority, why}",
    lambda d: f"is {d['state']} with priority {d['priority']}: {d['why']}",
    lasts=True,
    drawn=True,
)
word(
    "address",
    KEEPALIVED,
    "the virtual address is put on a keepalived's host, or taken off; {address, held: bool}",
    lambda d: f"{'puts' if d['held'] else 'takes'} {d['address']} {'on' if d['held'] else 'off'} its host",
    drawn=True,
)
word(
    "target",
    CLOUD,
    "a cloud's balancer changes its mind about a node, or has its first answer; {address, node, port: where it asks,"
    " up, why}",
    lambda d: f"{'sends to' if d['up'] else 'leaves'} {d['node']} for {d['address']}: {d['why']}",
)
