"""What a program in a container finds there."""

from kubemini.kubelet.decide import insides
from tests.kubelet.parts import pod


def test_a_container_knows_its_name_and_its_neighbours():
    made = pod(subdomain="sub", hostAliases=[{"ip": "10.0.0.1", "hostnames": ["db", "cache"]}])
    found = insides.facts(made, ["10.1.2.3"], "conf\n", "n1")
    assert found.hostname == "web-1" and found.files["/etc/resolv.conf"] == "conf\n"
    assert "10.1.2.3\tweb-1.sub.default.svc.cluster.local\tweb-1\n" in found.files["/etc/hosts"]
    assert found.files["/etc/hosts"].endswith("\n# Entries added by HostAliases.\n10.0.0.1\tdb\tcache\n")
    assert insides.hostname(pod(hostNetwork=True), "n1") == "n1"
