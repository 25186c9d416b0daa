"""Secrets: ``stringData`` is for writing only and becomes part of ``data``.

Models k/k pkg/registry/core/secret strategy; k/k pkg/apis/core/validation ValidateSecret, ValidateSecretUpdate.
Simplified: the content of a .dockerconfigjson is not read.
"""

import base64

from kubemini.api.kinds import SECRET
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import keyed
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid, required
from kubemini.apiserver.rules.containers import filled
from kubemini.apiserver.served import ServedKind, serve

ACCOUNT = "kubernetes.io/service-account.name"
NEEDS = {  # the keys that a type asks for
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}


def defaults(obj: Obj) -> Obj:
    """*obj* with a type, and its text encoded."""
    full = filled(obj, type="Opaque")
    written = full.pop("stringData", None) or {}
    if written:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in written.items()}
        full["data"] = {**(full.get("data") or {}), **encoded}
    return full


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    data = obj.get("data") or {}
    yield from keyed.keys(obj, "data")
    yield from keyed.size(obj, "data", "data")
    if obj.get("type") == "kubernetes.io/service-account-token":
        if not get(obj, "metadata", "annotations", ACCOUNT, default=""):
            yield required(f"metadata.annotations[{ACCOUNT}]")
    elif obj.get("type") == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            yield required("data[username]")
            yield required("data[password]")
    for key in NEEDS.get(obj.get("type", ""), ()):
        if key not in data:
            yield required(f"data[{key}]")


def changes(new: Obj, old: Obj) -> Wrong:
    """The type stays, and so does all of an immutable one."""
    if new.get("type") != old.get("type"):
        yield invalid("type", new.get("type"), IMMUTABLE)
    yield from keyed.immutable(new, old, "data")


serve(ServedKind(SECRET, acted_on=True, fields=("type",), defaults=defaults, rules=rules, changes=changes))
