"""The twin itself: its sessions follow from the seed, and do all that can be done to a pod; what nft shows is read."""

from collections import Counter

from tests.real.cni.host import without_iptables_6
from tests.real.cni.sessions import session


def test_a_session_follows_from_the_seed_and_its_number():
    assert session(7, 3) == session(7, 3) != session(8, 3)
    assert session(7, 3) != session(7, 4)


def test_sessions_ask_every_plugin_for_everything_and_do_harm():
    steps = [step for number in range(60) for step in session(1, number)]
    asked = Counter((step.plugin, step.command) for step in steps)
    plugins = ("bridge", "ptp", "portmap", "tuning", "bandwidth", "firewall")
    assert min(asked[plugin, command] for plugin in plugins for command in ("ADD", "CHECK", "DEL")) > 10
    assert {step.by_hand for step in steps} == {"", "route", "address", "namespace"}


def test_what_nft_shows_of_ip6tables_is_left_out_and_what_it_counts():
    lines = [
        "table ip nat {",
        "\tchain POSTROUTING {",
        "\t\tip saddr 10.244.1.3  counter packets 5 bytes 300 jump CNI-1",
        "\t}",
        "}",
        "table ip6 nat {",
        "\tchain CNI-1 {",
        "\t}",
        "}",
        "table inet cni_plugins_masquerade {",
    ]
    assert without_iptables_6(lines) == [
        "table ip nat {",
        "chain POSTROUTING {",
        "ip saddr 10.244.1.3  jump CNI-1",
        "table inet cni_plugins_masquerade {",
    ]
