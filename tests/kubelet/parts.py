"""A pod in a few words."""

from kubemini.api.objects import freeze


def pod(name="web-1", **spec):
    container = {"name": "web", "image": "shop/web:1.0"}
    return freeze(
        {
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": {"app": "web"}},
            "spec": {
                "restartPolicy": "Always",
                "terminationGracePeriodSeconds": 30,
                "containers": [container | spec.pop("container", {})],
                **spec,
            },
        }
    )
