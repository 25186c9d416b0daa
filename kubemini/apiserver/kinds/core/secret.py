"""Secrets: ``stringData`` is for writing only and becomes part of ``data``.

Models k/k pkg/registry/core/secret strategy; k/k pkg/apis/core/validation ValidateSecret, ValidateSecretUpdate.
"""

import base64
import json

from kubemini.api.kinds import SECRET
from kubemini.api.objects import Obj, get
from kubemini.api.schema import syntax
from kubemini.apiserver.columns import AGE, NAME, Column, at, number_of
from kubemini.apiserver.decide.decoding import go_name
from kubemini.apiserver.rules import keyed
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid, required
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.served import ServedKind, serve

ACCOUNT = "kubernetes.io/service-account.name"
NEEDS = {  # the keys that a type asks for
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}
READ = (".dockerconfigjson", ".dockercfg")  # keys whose value is JSON


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
        if key not in data or (key == "ssh-privatekey" and not data[key]):
            yield required(f"data[{key}]")
        elif key in READ and (wrong := _no_object(base64.b64decode(data[key]))):
            yield invalid(f"data[{key}]", "<secret contents redacted>", wrong)


def _no_object(data: bytes) -> str:
    """Why *data* is no map of JSON, in Go's words; "" if it is one."""
    wrong = syntax.problem(data)
    if wrong:
        return wrong
    found = json.loads(data)
    if found is None or isinstance(found, dict):
        return ""
    return f"json: cannot unmarshal {go_name(found)} into Go value of type map[string]interface {{}}"


def changes(new: Obj, old: Obj) -> Wrong:
    """The type stays, and so does all of an immutable one."""
    if new.get("type") != old.get("type"):
        yield invalid("type", new.get("type"), IMMUTABLE)
    yield from keyed.immutable(new, old, "data")


COLUMNS = (NAME, Column("Type", at("type")), Column("Data", number_of("data")), AGE)
serve(
    ServedKind(
        SECRET,
        acted_on=True,
        fields=("type",),
        defaults=defaults,
        rules=rules,
        changes=changes,
        changes_first=True,
        columns=COLUMNS,
    )
)
