"""The name of who signs: ``example.com/signer-name``.

Models k/k pkg/apis/core/validation ValidateSignerName.
"""

from kubemini.api import names
from kubemini.apiserver.rules.causes import Wrong, invalid, required, shown, too_long

LONGEST_DOMAIN, LONGEST = 253, 253 + 253 + 63 + 1 + 1  # bytes
TWO_PARTS = "must be a fully qualified domain and path of the form 'example.com/signer-name'"


def signer_name(name: str, path: str) -> Wrong:
    """Every complaint."""
    if not name:
        yield required(path)
        return
    domain, slash, rest = name.partition("/")
    if not slash or "/" in rest:
        yield invalid(path, name, TWO_PARTS)
        return
    if len(domain) > LONGEST_DOMAIN:
        yield too_long(path, LONGEST_DOMAIN)
    for part, rule in ((domain, names.dns_label), (rest, names.dns_subdomain)):
        bad = next((label for label in part.split(".") if rule(label)), None)
        if bad is not None:
            for text in rule(bad):
                yield invalid(path, part, f"validating label {shown(bad)}: {text}")
        if part is domain and "." not in domain:
            yield invalid(path, domain, "should be a domain with at least two segments separated by dots")
    if len(name) > LONGEST:
        yield too_long(path, LONGEST)


def of_kubernetes(name: str) -> bool:
    """Whether Kubernetes itself signs. Models k/k pkg/apis/core/validation IsKubernetesSignerName"""
    domain = name.partition("/")[0]
    return domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
