"""Machines of the real cluster: each a network namespace with one cable to one switch.

`cut` takes a machine's cable out of the switch, so that what it sends and what is sent to it is lost without a word;
`between` drops what goes from one to another, or only its traffic with a port. This process is at the switch and
reaches all machines.
"""

import subprocess

NETWORK = "192.0.2"
ADDRESSES = {
    **{f"h{n}": f"{NETWORK}.1{n}" for n in (1, 2, 3)},
    **{f"e{n}": f"{NETWORK}.2{n}" for n in (1, 2, 3)},
    **{"lb1": f"{NETWORK}.8", "lb2": f"{NETWORK}.9", "ctl": f"{NETWORK}.5"},
}
VIRTUAL = f"{NETWORK}.10"
HERE = f"{NETWORK}.1"
SWITCH = "br0"
PEER = 2380  # of etcd


def run(*command, check=True):
    """A program's standard output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def ip(*lines, inside=None):
    """Commands of `ip`, on the machine *inside*: all of them, or an error."""
    where = ("-n", inside) if inside else ()
    command = ["ip", *where, "-batch", "-"]
    subprocess.run(command, input="\n".join(lines), text=True, check=True, capture_output=True)


def on(host):
    """What goes before a command that is to run on *host*; its name is the machine's."""
    named = 'hostname "$0" && exec "$@"'
    return ["ip", "netns", "exec", host, "unshare", "--uts", "sh", "-c", named, host]


def plug(hosts):
    """The switch, and a cable to each of *hosts*."""
    ip(
        f"link add {SWITCH} type bridge",
        f"link set {SWITCH} up",
        f"address add {HERE}/24 dev {SWITCH}",
    )
    for host in hosts:
        ip(
            f"netns add {host}",
            f"link add v{host} type veth peer name eth0 netns {host}",
            f"link set v{host} master {SWITCH} up",
        )
        ip(
            "link set lo up",
            f"address add {ADDRESSES[host]}/24 dev eth0",
            "link set eth0 up",
            inside=host,
        )


def cut(host):
    """Nothing from or to *host* arrives."""
    ip(f"link set v{host} nomaster")


def heal(host):
    """Its cable is in the switch again."""
    ip(f"link set v{host} master {SWITCH}")


def between(one, other, port=None):
    """What *one* hears from *other*, and the other way round, is dropped; with *port* only TCP to or from it."""
    for here, there in ((one, other), (other, one)):
        for rule in _rules(there, port):
            run("ip", "netns", "exec", here, "iptables", "-A", "INPUT", *rule)


def between_no_more(*hosts):
    """Undo `between`."""
    for host in hosts:
        run("ip", "netns", "exec", host, "iptables", "-F", "INPUT")


def _rules(source, port):
    drop = ("-s", ADDRESSES[source], "-j", "DROP")
    if port is None:
        return [drop]
    return [("-p", "tcp", end, str(port), *drop) for end in ("--dport", "--sport")]
