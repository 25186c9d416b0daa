"""``kubectl describe``.

Models k/kubectl pkg/cmd/describe DescribeOptions.Run DescribeOptions.DescribeMatchingResources; pkg/describe
describerMap.
"""

from collections.abc import Callable

from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import Failed, Refused, Steps, fail, together
from kubemini.users.decide.kubectl.describing import generic, networking, nodes, others, pods, workloads
from kubemini.users.decide.kubectl.describing.page import Page
from kubemini.users.decide.kubectl.flags import BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info, of_object

FLAGS = (
    *targets.FILES,
    *targets.SELECTOR,
    *targets.EVERYWHERE,
    *targets.CHUNKS,
    Flag("show-events", kind=BOOL, default=True),
)
RBAC = "rbac.authorization.k8s.io"
PAGES: dict[str, Callable[[Line, Info, Page], Steps]] = {
    "pods": pods.pod,
    "nodes": nodes.node,
    "services": networking.service,
    "endpointslices.discovery.k8s.io": networking.endpoint_slice,
    "ingresses.networking.k8s.io": networking.ingress,
    "networkpolicies.networking.k8s.io": networking.network_policy,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "replicationcontrollers": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "namespaces": others.namespace,
    "resourcequotas": others.quota,
    "limitranges": others.limit_range,
    "configmaps": others.config_map,
    "secrets": others.secret,
    "serviceaccounts": others.account,
    f"roles.{RBAC}": others.role,
    f"clusterroles.{RBAC}": others.role,
    f"rolebindings.{RBAC}": others.binding,
    f"clusterrolebindings.{RBAC}": others.binding,
    "poddisruptionbudgets.policy": others.budget,
    "horizontalpodautoscalers.autoscaling": others.autoscaler,
    "priorityclasses.scheduling.k8s.io": others.priority_class,
}


def run(line: Line, given: Given) -> Steps:
    """Describe what is meant, or what has a name that begins so."""
    paths = files.named(line, must=False)
    if not (given.words or paths):
        suggest = 'Use "kubectl api-resources" for a complete list of supported resources.'
        raise fail(f"You must specify the type of resource to describe. {suggest}")
    infos, errors = yield from _infos(line, given, paths)
    if (errors or len(infos) > 1) and not given.has("show-events"):
        given.values["show-events"] = False
    if errors and len(given.words) == 2 and _is_missing(errors[0]):
        yield from _beginning_so(line, given, errors[0])
        return
    shown = []
    for info in infos:
        shown.append((yield from page_of(line, info)))
    line.screen.out("\n\n".join(shown))
    if not infos and not errors:
        where = "" if given.on("all-namespaces") else f" in {line.namespace} namespace."
        line.screen.complain(f"No resources found{where}")
    together(errors)


def _infos(line: Line, given: Given, paths: list[str]) -> Steps:
    if paths:
        meant = targets.Targets((yield from files.read_all(line, paths)))
    else:
        meant = yield from targets.meant(line, given.words, all_if_none=True)
    return (yield from targets.tried(line, meant))


def _is_missing(problem: Failed) -> bool:
    return isinstance(problem, Refused) and problem.reason == "NotFound"


def _beginning_so(line: Line, given: Given, problem: Failed) -> Steps:
    """Describe all whose names begin as the one that is not there. Raises *problem* if there is none."""
    kind, prefix = given.words
    meant = yield from targets.meant(line, [kind], all_if_none=True)
    infos, errors = yield from targets.tried(line, meant)
    together(errors)
    infos = [info for info in infos if info.name.startswith(prefix)]
    if not infos:
        raise problem
    for info in infos:
        line.screen.out((yield from page_of(line, info)) + "\n")


def page_of(line: Line, info: Info) -> Steps:
    """The description of one object."""
    page = Page(line.now)
    told = PAGES.get(info.resource.called, generic.anything)
    yield from told(line, of_object(info.resource, info.obj), page)
    return page.text()
