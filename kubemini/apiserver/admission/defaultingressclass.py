"""DefaultIngressClass: an Ingress without a class gets the default one when it is created, if there is one then.

Of several defaults the newest counts, of equally new ones the first by name. An Ingress that was made before stays
without a class.
Models k/k plugin/pkg/admission/network/defaultingressclass classDefaulterPlugin.Admit getDefaultClass.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import INGRESS, INGRESS_CLASS, Kind
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.admission import newest_default
from kubemini.apiserver.decide.attributes import CREATE, Attributes

NAME = "DefaultIngressClass"
DEFAULT = "ingressclass.kubernetes.io/is-default-class"
LEGACY = "kubernetes.io/ingress.class"


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """An Ingress with a class, if it is to have one; other kinds, and updates, as they are."""
    obj = asked.obj
    if asked.kind != INGRESS or obj is None or asked.operation != CREATE:
        return obj
    named = get(obj, "spec", "ingressClassName") is not None
    if named or LEGACY in (get(obj, "metadata", "annotations") or {}):
        return obj
    name = newest_default(asked.known.items(INGRESS_CLASS), (DEFAULT,))
    return obj if name is None else evolve(obj, ("spec", "ingressClassName"), name)


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The classes, for a new Ingress."""
    return (INGRESS_CLASS,) if asked.kind == INGRESS and asked.operation == CREATE else ()
