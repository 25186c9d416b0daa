"""The server of a kubelet: HTTP over the simulated wire, for whoever the API server says may ask.

Theory of operation.

A request is a stream of the wire with the method "http". What goes back is a `Head`, then bytes, then its end. For a
request that upgrades its connection (exec, attach, port-forward) bytes go the other way too: as calls with the method
"input", which name the request by its number. So the API server, which stands between, understands nothing of what
passes: by 1.36's ExtendWebSocketsToKubelet it is a kubelet that speaks WebSocket.

Who asks has shown a certificate; whether he may is a SubjectAccessReview, which the API server answers, and whose
answer is kept for five minutes, or half a minute if it was no.
Invariant: nothing here happens unless somebody asks, but for one line a log when a container starts or ends.
Models k/k pkg/kubelet/server Server.getContainerLogs Server.getExec Server.getAttach Server.getPortForward
Server.getPods Server.InstallAuthFilter; k/k pkg/kubelet Kubelet.GetExec Kubelet.GetAttach Kubelet.GetPortForward.
"""

import hashlib
import json
from functools import partial
from typing import Any

from kubemini.api.objects import freeze, get, thaw
from kubemini.containers import Inside, Request
from kubemini.host import Component
from kubemini.kubelet.decide import forwarding, logs, routes, streams
from kubemini.kubelet.decide.nodestatus import KUBELET
from kubemini.kubelet.decide.pages import Serve, Take
from kubemini.kubelet.decide.pods.runs import CREATED, RUNNING, Run
from kubemini.kubelet.decide.pods.told.status import by_name
from kubemini.kubelet.decide.routes import EXEC, FORWARD, HEALTH, LOGS, PODS, Wanted
from kubemini.kubelet.decide.streams import Headers, Options, Refusal
from kubemini.kubelet.pods.worker import PodWorker
from kubemini.kubelet.runtime import doors
from kubemini.kubelet.runtime.containers import Containers
from kubemini.kubelet.runtime.sandbox import ENDED, PodSandbox
from kubemini.kubelet.serving.forwarding import Forwarding, refused
from kubemini.kubelet.serving.reading import Reading
from kubemini.kubelet.serving.session import EXEC_ID, Attachment, Execution, Session, words_of
from kubemini.kubelet.serving.visit import Takers, Visit
from kubemini.sim import Steps
from kubemini.sim.units import MINUTE, SECOND
from kubemini.wire import Call

PORT = KUBELET  # --port
ALLOWED, REFUSED = 5 * MINUTE, 30 * SECOND  # authorization.webhook.cacheAuthorizedTTL, cacheUnauthorizedTTL
REVIEW = 10 * SECOND  # timeout of the webhook's client
JSON: Headers = (("Content-Type", "application/json"),)


class Server:
    """What one incarnation of a kubelet serves; *workers* are its pods."""

    def __init__(self, kubelet: Component, client: Any, containers: Containers, workers: dict[str, PodWorker]):
        self.kubelet, self.client, self.containers, self.workers = kubelet, client.limited(REVIEW), containers, workers
        self.host = kubelet.host
        self.takers: Takers = {}
        self._verdicts: dict[tuple[str, str, str], tuple[bool, int]] = {}
        self._processes = 0  # that have been begun by /exec

    def handle(self, call: Call) -> Steps | None:
        """A request, or bytes of one."""
        if call.method == "http":
            return self._serve(Visit(call, self.takers))
        take = self.takers.get((call.source, call.payload["number"]))
        if take is not None:
            take(call.payload["data"])
        call.reply()
        return None

    def _serve(self, visit: Visit) -> Steps:
        wrong = yield from self._refusal(visit)
        wanted = routes.parse(visit.method, visit.path)
        if wrong is not None:
            visit.refuse(wrong)
        elif wanted is None:
            visit.answer(*routes.missing(visit.method, visit.path))
        elif wanted.what == HEALTH:
            visit.answer(200, "ok")
        elif wanted.what == PODS:
            visit.answer(200, self._pods(), JSON)
        elif wanted.what == LOGS:
            self._show_log(visit, wanted)
        else:
            self._open(visit, wanted)

    # -- who may -----------------------------------------------------------------------------------------------------
    def _refusal(self, visit: Visit) -> Steps:
        """Why nobody is answered, or None."""
        user = visit.user
        if user is None:
            return Refusal(401, routes.UNAUTHORIZED)
        verb, parts = routes.VERBS.get(visit.method, ""), routes.subresources(visit.path)
        for part in parts:
            allowed = yield from self._may(user, verb, part)
            if allowed is None:
                return Refusal(500, routes.not_authorized(user["name"], verb, part))
            if allowed:
                return None
        return Refusal(403, routes.forbidden(user["name"], verb, parts))

    def _may(self, user: dict[str, Any], verb: str, part: str) -> Steps:
        """Whether *user* may; None: nobody says."""
        key = user["name"], verb, part
        allowed, until = self._verdicts.get(key, (False, -1))
        if self.kubelet.sim.now < until:
            return allowed
        review = routes.review(user["name"], tuple(user["groups"]), verb, part, self.host.name)
        reply = yield from self.client.create(freeze(review))
        if not reply.ok:
            return None
        allowed = bool(get(reply.value, "status", "allowed"))
        self._verdicts[key] = allowed, self.kubelet.sim.now + (ALLOWED if allowed else REFUSED)
        return allowed

    # -- pods --------------------------------------------------------------------------------------------------------
    def _pods(self) -> str:
        items = []
        for worker in self.workers.values():
            found = thaw({key: value for key, value in worker.pod.items() if key not in ("apiVersion", "kind")})
            items.append(found | {"status": thaw(worker.reported or worker.pod.get("status") or {})})
        body = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
        return json.dumps(body, separators=(",", ":")) + "\n"

    def _worker(self, wanted: Wanted) -> PodWorker | None:
        key = wanted.namespace, wanted.pod
        return next((worker for worker in self.workers.values() if worker.key == key), None)

    # -- logs --------------------------------------------------------------------------------------------------------
    def _show_log(self, visit: Visit, wanted: Wanted) -> None:
        query = logs.wanted(visit.query, self.kubelet.sim.now, self.kubelet.sim.wall - self.kubelet.sim.now)
        if isinstance(query, Refusal):
            visit.refuse(query)
            return
        worker = self._worker(wanted)
        if worker is None:
            visit.answer(404, f'pod "{wanted.pod}" does not exist')
            return
        if wanted.container not in routes.containers(worker.pod):
            visit.answer(404, f'container "{wanted.container}" not found in pod "{wanted.pod}"')
            return
        statuses = list(by_name(worker.life.status).values())
        why = logs.unavailable(wanted.pod, wanted.container, statuses, query.previous)
        log = None if why else self._log(worker.uid, wanted.container, query.previous)
        if log is None:
            visit.answer(400, why or logs.no_file(wanted.pod, wanted.container))
            return
        visit.begin(200, (("Content-Type", "text/plain"),))
        files = self.containers.logs
        reading = Reading(self.kubelet, files, worker.uid, wanted.container, log, query, visit.push, visit.close)
        visit.call.on_cancel(reading.leave)
        reading.begin()

    def _log(self, uid: str, container: str, previous: bool) -> logs.Log | None:
        """The log that is meant: of a container that is only about to start again, that of its last start."""
        kept, run = self.containers.logs.of(uid, container), self._run(uid, container)
        if kept is None:
            return None
        runs = run is not None and run.state == RUNNING
        return kept.previous if previous and runs else kept.current

    def _run(self, uid: str, container: str) -> Run | None:
        """The newest run of a container that has begun."""
        sandbox = self.containers.of_pod.get(uid)
        found = sandbox.view.of(container) if sandbox is not None else []
        return next((run for run in found if run.state != CREATED), None)

    # -- streams -----------------------------------------------------------------------------------------------------
    def _open(self, visit: Visit, wanted: Wanted) -> None:
        """/exec, /attach, /portForward: greet the client, and let it talk."""
        options = streams.options(visit.query)
        if wanted.what != FORWARD and isinstance(options, str):
            visit.refuse(Refusal(400, options))
            return
        worker = self._worker(wanted)
        running = self.containers.of_pod.get(worker.uid) if worker is not None else None
        if worker is None:
            visit.refuse(Refusal(404, routes.NO_POD))
        elif running is None or not self._is_there(running, wanted):
            visit.refuse(Refusal(500, routes.not_there(wanted)))
        elif isinstance(options, Options) and wanted.what != FORWARD:
            self._enter(visit, wanted, running, options)
        else:
            self._forward(visit, running)

    def _is_there(self, running: PodSandbox, wanted: Wanted) -> bool:
        """Whether what is meant runs."""
        if wanted.what == FORWARD:
            return running.state != ENDED
        run = self._run(running.uid, wanted.container)
        return run is not None and run.state == RUNNING

    def _enter(self, visit: Visit, wanted: Wanted, running: PodSandbox, options: Options) -> None:
        """Run a command in a container, or show what it says."""
        carrier = streams.chosen(visit.headers, options)
        if isinstance(carrier, Refusal):
            visit.refuse(carrier)
            return
        session = Session(self.kubelet, carrier, visit.push, visit.close, options.tty)
        visit.greet(carrier.greeting, session.take, session.leave)
        kept, files = self.containers.logs.of(running.uid, wanted.container), self.containers.logs
        inside = self._inside(running, wanted.container)
        if wanted.what == EXEC:
            run = Execution(session, words_of(visit.query), inside, options.stdin)
            session.begin(lambda: run.begin(self._identity()))
        else:
            assert kept is not None, "what runs has a log"
            typed = inside.typed if options.stdin else None
            session.begin(Attachment(session, files, running.uid, wanted.container, kept.current, typed).begin)

    def _inside(self, running: PodSandbox, container: str) -> Inside:
        """What runs in a container that runs."""
        run = self._run(running.uid, container)
        assert run is not None, "it has been looked for"
        inside: Inside = running.lives[run.id].inside
        return inside

    def _identity(self) -> str:
        """What the runtime calls a process."""
        self._processes += 1
        draws = self.kubelet.sim.draws(f"exec/{self.kubelet.name}/{self.kubelet.incarnation}")
        parts = (draws.u(EXEC_ID // 16 * self._processes + part) for part in range(EXEC_ID // 16))
        return "".join(f"{part:016x}" for part in parts)

    # -- ports -------------------------------------------------------------------------------------------------------
    def _forward(self, visit: Visit, running: PodSandbox) -> None:
        carrier = forwarding.chosen(visit.headers, visit.query)
        if isinstance(carrier, Refusal):
            visit.refuse(carrier)
            return
        made = Forwarding(carrier, partial(self._listens, running), visit.push, visit.close)
        visit.greet(carrier.greeting, made.take, made.leave)
        made.begin()

    def _listens(self, running: PodSandbox, port: int) -> Serve | str:
        """What answers on *port* of a pod, or the words of a refusal."""
        if doors.listens(self.containers, running, port):

            def serve(request: Request, take: Take) -> bool:
                return doors.ask(self.containers, running, port, request, take)

            return serve
        namespace = "host" if get(running.pod, "spec", "hostNetwork") else f"/var/run/netns/cni-{running.uid}"
        sandbox = hashlib.sha256(running.uid.encode()).hexdigest()
        return refused(port, sandbox, namespace, bool(running.ip2))
