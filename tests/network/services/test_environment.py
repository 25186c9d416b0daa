"""The environment that a container finds: Services as kubelet tells of them."""

from kubemini.network.decide.services.environment import environment


def service(name, *ports, namespace="default", ip="10.0.0.11"):
    meta = {"name": name, "namespace": namespace}
    return {"metadata": meta, "spec": {"clusterIP": ip, "ports": list(ports)}}


def test_the_table_of_the_documentation_is_told():
    """kubernetes.io "Environment variables" of a Service redis-primary."""
    found = environment([service("redis-primary", {"port": 6379, "protocol": "TCP"})], "default")
    assert found == {
        "REDIS_PRIMARY_SERVICE_HOST": "10.0.0.11",
        "REDIS_PRIMARY_SERVICE_PORT": "6379",
        "REDIS_PRIMARY_PORT": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_PRIMARY_PORT_6379_TCP_PORT": "6379",
        "REDIS_PRIMARY_PORT_6379_TCP_ADDR": "10.0.0.11",
    }


def test_ports_have_their_names_and_the_first_stands_for_the_service():
    ports = {"name": "u-d-p", "port": 8082, "protocol": "UDP"}, {"name": "p", "port": 8083}
    found = environment([service("abc-123", *ports, ip="fd00::5")], "default")
    assert found["ABC_123_SERVICE_PORT"] == found["ABC_123_SERVICE_PORT_U_D_P"] == "8082"
    assert found["ABC_123_PORT"] == "udp://[fd00::5]:8082"
    assert found["ABC_123_PORT_8083_TCP_PROTO"] == "tcp"


def test_a_pod_is_told_of_its_namespace_and_of_the_api_server_and_never_of_headless_ones():
    port = {"port": 80}
    there = [
        service("kubernetes", {"port": 443, "name": "https"}),
        service("other", port),
        service("web", port, namespace="shop"),
        service("db", port, namespace="shop", ip="None"),
    ]
    names = {name.split("_SERVICE_HOST")[0] for name in environment(there, "shop") if "HOST" in name}
    assert names == {"KUBERNETES", "WEB"}
    bare = environment(there, "shop", links=False)
    assert "WEB_SERVICE_HOST" not in bare and bare["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
