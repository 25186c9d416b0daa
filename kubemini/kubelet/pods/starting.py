"""A container is started: back-off, image, configuration, the container itself, its postStart hook. In that order.

Invariant: whatever goes wrong leaves a reason for the status, and an Event that says it in the real words.
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.startContainer kubeGenericRuntimeManager.doBackOff
Models k/k pkg/kubelet/images imageManager.EnsureImageExists
"""

from typing import NamedTuple

from kubemini.api.objects import Obj
from kubemini.containers import CannotStart, NoCommand, Program, Setting, program_for
from kubemini.kubelet.decide.behaviour import BEHAVIOUR, behaviour_time
from kubemini.kubelet.decide.pods import images
from kubemini.kubelet.decide.pods.backoff import shown
from kubemini.kubelet.decide.pods.runs import PodView, Run, ephemerals, inits, is_sidecar
from kubemini.kubelet.decide.pods.told.status import by_name
from kubemini.kubelet.decide.variables import expanded
from kubemini.kubelet.pods.finds.settings import NotSet, Settings
from kubemini.kubelet.pods.finds.volumes import Volumes
from kubemini.kubelet.pods.hooks import run_hook
from kubemini.kubelet.pods.killing import kill
from kubemini.kubelet.pods.shared import NORMAL, WARNING, Attended
from kubemini.kubelet.runtime.containers import CRASHED
from kubemini.sim import Steps

RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)


class Failed(NamedTuple):
    """Why a container does not run; *until*: the end of its back-off, *made*: there is a container all the same."""

    reason: str
    message: str
    until: int | None = None
    made: bool = False


class Starting:
    """Of one worker."""

    def __init__(self, worker: Attended, volumes: Volumes):
        self.worker, self.shared, self.volumes = worker, worker.shared, volumes
        self.settings = Settings(worker, volumes)
        self._takes: int | None = None  # µs for all containers that start together; drawn when the first does

    def begin(self) -> int:
        """A start begins with its sandbox: how long that takes (µs), half of the whole."""
        takes = self.shared.draw(self.worker.key[1], self.shared.params.pod_start)
        self._takes = takes - takes // 2
        return takes // 2

    def end(self) -> None:
        """The next start has a time of its own."""
        self._takes = None

    def may_start(self, container: Obj, view: PodView) -> bool:
        """Whether no back-off holds it."""
        run = view.exited(container["name"])
        return run is None or not self.shared.restarts.seen(self._key(container), run.finished_at, self.shared.wall)

    def run(self, container: Obj, view: PodView, together: int) -> Steps:
        """Start it, one of so many that start *together*: None, or why it failed."""
        name, life = container["name"], self.worker.life
        failed: Failed | None = self._back_off(container, view)
        if failed is None:
            failed = yield from self._attempt(container, view, together)
        if failed is None:
            life.reasons.pop(name, None)
        else:
            life.reasons[name] = (failed.reason, failed.message)
        return failed

    def _time(self, together: int) -> int:
        """µs that one of them takes to start."""
        if self._takes is None:
            takes = self.shared.draw(self.worker.key[1], self.shared.params.pod_start)
            self._takes = takes // 2 if self.shared.params.kubelet_details else takes
        return self._takes // together

    def _key(self, container: Obj) -> str:
        """Of a back-off: a container with another image is another."""
        return f"{self.worker.uid}/{container['name']}/{container.get('image', '')}"

    def _back_off(self, container: Obj, view: PodView) -> Failed | None:
        run, key, restarts = view.exited(container["name"]), self._key(container), self.shared.restarts
        if run is None:
            return None
        if not restarts.seen(key, run.finished_at, self.shared.wall):
            restarts.advance(key, run.finished_at, self.shared.wall)
            return None
        name, pod = container["name"], self.worker.life.full_name
        text = f"Back-off restarting failed container {name} in pod {pod}"
        self.shared.event(self.worker.pod, WARNING, "BackOff", text, name)
        wait = restarts.wait(key)
        message = f"back-off {shown(wait)} restarting failed container={name} pod={pod}"
        return Failed("CrashLoopBackOff", message, run.finished_at + wait)

    def _attempt(self, container: Obj, view: PodView, together: int) -> Steps:
        failed = yield from self._image(container)
        if failed is not None:
            self._say(container, WARNING, "Failed", f"Error: {failed.reason}")
            return failed
        try:
            setting = yield from self.settings.of(container)
        except NotSet as error:
            self._say(container, WARNING, "Failed", f"Error: {error}")
            return Failed("CreateContainerConfigError", str(error))
        run = self._create(container, view, setting)
        if isinstance(run, Failed):
            return run
        yield self.shared.component.timeout(self._time(together))
        if self.worker.uid not in self.shared.containers.of_pod:
            return Failed("ContainerCannotRun", "its sandbox is gone")
        failed = self._begin(container, run)
        if failed is None and (hook := (container.get("lifecycle") or {}).get("postStart")):
            failed = yield from self._post_start(container, run, hook)
        return failed

    def _create(self, container: Obj, view: PodView, setting: Setting) -> "Run | Failed":
        name, shared, image = container["name"], self.shared, container.get("image", "")
        before = view.latest(name)
        attempt = before.attempt + 1 if before is not None else self._attempts_so_far(name)
        try:
            words = {key: container.get(key) or () for key in ("command", "args")}
            command, args = ([expanded(word, setting.environment) for word in words[key]] for key in words)
            program = program_for(image, command, args, shared.host.programs)
        except NoCommand as error:
            fresh = shared.fresh_id(f"{self.worker.key[1]}/{name}")
            message = f'failed to generate container "{fresh}" spec: failed to generate spec: {error}'
            self._say(container, WARNING, "Failed", f"Error: {message}")
            return Failed("CreateContainerError", message)
        run: Run = shared.containers.create(
            self.worker.uid,
            container,
            attempt,
            program,
            setting,
            (image, images.resolved(image)),
            self._is_plain(program),
        )
        if shared.params.kubelet_details:
            run.user = setting.user, setting.groups
        self._say(container, NORMAL, "Created", "Container created")
        return run

    def _is_plain(self, program: Program) -> bool:
        """Whether nobody asks what its program does: annotations say how it behaves, or this is a story.

        What a reader has registered is always asked.
        """
        notes = self.worker.pod["metadata"].get("annotations") or {}
        story = not self.shared.params.kubelet_details and program.main is None
        return story or any(key.startswith(BEHAVIOUR) for key in notes)

    def _attempts_so_far(self, name: str) -> int:
        """Of a container that the runtime does not know: as many as its status says."""
        told = by_name(self.worker.life.status).get(name, {})
        return int(told.get("restartCount", 0))

    def _begin(self, container: Obj, run: Run) -> Failed | None:
        worker, shared = self.worker, self.shared
        exit_after, code = behaviour_time(worker.pod, "exit-after"), CRASHED
        if any(one["name"] == run.name for one in inits(worker.pod)) and not is_sidecar(container):
            exit_after, code = 0, 0  # what nobody knows has nothing to prepare
        elif container in ephemerals(worker.pod):
            exit_after = None  # annotations speak of the others
        sandbox = shared.containers.of_pod[worker.uid]
        shared.links.tell(worker.pod, sandbox)
        try:
            shared.containers.start(worker.uid, run, exit_after, code, self._lag())
        except CannotStart as error:
            run.message = f"{RUNC}{error}"
            self._say(container, WARNING, "Failed", f"Error: {run.message}")
            return Failed("RunContainerError", run.message, made=True)
        self._say(container, NORMAL, "Started", "Container started")
        return None

    def _lag(self) -> int:
        """µs until its program does the first thing."""
        longest = self.shared.params.program_start
        return self.shared.draw(f"{self.worker.key[1]}/program", (0, longest)) if longest else 0

    def _post_start(self, container: Obj, run: Run, hook: Obj) -> Steps:
        wrong = yield from run_hook(self.worker, container, run, hook)
        if wrong is None:
            return None
        self._say(container, WARNING, "FailedPostStartHook", "PostStartHook failed")
        yield from kill(self.worker, run, "FailedPostStartHook")
        return Failed("PostStartHookError", wrong, made=True)

    # -- images --------------------------------------------------------------------------------------------------------
    def _image(self, container: Obj) -> Steps:
        """See to it that the image is there: None, or why it is not."""
        image, puller = container.get("image", ""), self.shared.puller
        if wrong := images.problem(image):
            self._say(container, WARNING, "InspectFailed", wrong)
            return Failed("InvalidImageName", wrong)
        policy, present = container.get("imagePullPolicy", ""), puller.is_present(image)
        if policy == images.NEVER and not present:
            message = images.NEVER_PULLED.format(image)
            self._say(container, WARNING, "ErrImageNeverPull", message)
            return Failed("ErrImageNeverPull", message)
        if not images.must_ask(policy if self.shared.params.kubelet_details else "", present):
            self._say(container, NORMAL, "Pulled", images.PRESENT.format(image))
            return None
        return (yield from self._pull(container, image))

    def _pull(self, container: Obj, image: str) -> Steps:
        puller, key, shared = self.shared.puller, f"{self.worker.uid}_{image}", self.shared
        if puller.backoffs.seen_since_update(key, shared.now):
            text = f'Back-off pulling image "{image}"'
            self._say(container, NORMAL, "BackOff", text)
            before = puller.errors.get(key)
            return Failed("ImagePullBackOff", f"{text}: {before}" if before else text)
        puller.errors.pop(key, None)
        self._say(container, NORMAL, "Pulling", f'Pulling image "{image}"')
        began = shared.now
        found, took = yield from puller.pull(image)
        if not found.trouble:
            text = images.pulled(image, took, shared.now - began, found.size)
            self._say(container, NORMAL, "Pulled", text)
            return None
        message = images.failure(image, found)
        self._say(container, WARNING, "Failed", f'Failed to pull image "{image}": {message}')
        puller.backoffs.advance(key, shared.now, shared.now)
        puller.errors[key] = f"ErrImagePull: {message}"
        return Failed("ErrImagePull", message)

    def _say(self, container: Obj, type: str, reason: str, message: str) -> None:
        self.shared.event(self.worker.pod, type, reason, message, container["name"])
