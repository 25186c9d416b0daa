"""POST of a Binding, to a pod or by its own name: the pod gets its node.

Models k/k pkg/registry/core/pod/storage BindingREST.Create assignPod.
Simplified: no webhook is asked about a Binding.
"""

from dataclasses import replace

from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.objects import freeze, get
from kubemini.apiserver import admission, admitting, writing
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import attributes
from kubemini.apiserver.decide.parts import binding
from kubemini.sim import Steps


def bind(core: Core, asked: Request) -> Steps:
    """POST to /binding: a pod gets its node."""
    body = asked.body
    wrong = binding.unreadable(body)
    if wrong is not None:
        return wrong
    if asked.audit is not None:
        asked.audit.sent({"kind": "Binding", "apiVersion": "v1", **body})
    looked_at = admitting.attributes(core, asked.kind, attributes.CREATE, freeze(body), asked)
    unready = yield from admitting.informed(core, looked_at)
    admitted = unready or admission.admit(looked_at)
    if isinstance(admitted, ApiError):
        return admitted
    assert admitted is not None, "admission gives the Binding back"
    refused = admission.validate(looked_at) or binding.misbound(admitted, asked.info.name)
    if refused is not None:
        return refused
    done = yield from writing.change(core, asked, lambda pod: binding.bind(pod, admitted, core.sim.wall))
    return done if isinstance(done, ApiError) else binding.BOUND


def bind_named(core: Core, asked: Request) -> Steps:
    """POST of a Binding to its own collection: it names the pod."""
    name = get(asked.body, "metadata", "name", default="") if isinstance(asked.body, dict) else ""
    info = replace(asked.info, resource=POD.plural, subresource="binding", name=str(name))
    return (yield from bind(core, replace(asked, info=info)))
