"""An unmodified kube-apiserver over etcd, on loopback, as the sessions were recorded: nothing else runs."""

import contextlib
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from tests.oracles.ha.real.programs import KUBECONFIG, Failed

TOKENS = "admintoken,admin,admin,system:masters\ndevtoken,dev,dev,developers\n"
READY = 300  # seconds, on a busy machine


def free_ports(number):
    """Ports of loopback that nobody has."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class RealServer:
    """The two programs of *binary*, for as long as the `with` block lasts; *folder* gets their files.

    *more*: further flags of kube-apiserver.
    """

    def __init__(self, binary, folder, more=()):
        self.more = more
        self.binary, self.folder, self.running = str(binary), folder, []
        self.tokens = TOKENS
        self.etcd, peer, self.port = free_ports(3)
        self.url, self.peer = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{peer}"

    def __enter__(self):
        folder = self.folder
        subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
        (folder / "tokens.csv").write_text(self.tokens)
        try:
            self._start("etcd", self._etcd())
            self._start("kube-apiserver", self._api())
            self._await()
        except BaseException:
            self.__exit__()
            raise
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(KUBECONFIG.format(server=self.url, token="admintoken"))
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.terminate()
            process.wait()

    def _start(self, name, options):
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [self.binary, name, *options]
            self.running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder))

    def _etcd(self):
        here = f"http://127.0.0.1:{self.etcd}"
        return [
            *("--name=one", f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync"),
            *(f"--listen-client-urls={here}", f"--advertise-client-urls={here}"),
            *(f"--listen-peer-urls={self.peer}", f"--initial-advertise-peer-urls={self.peer}"),
            f"--initial-cluster=one={self.peer}",
        ]

    def _api(self):
        key = f"{self.folder}/sa.key"
        return [
            *(f"--etcd-servers=http://127.0.0.1:{self.etcd}", f"--secure-port={self.port}", "--bind-address=127.0.0.1"),
            *("--endpoint-reconciler-type=none", f"--cert-dir={self.folder}/certificates"),
            *(f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=Node,RBAC"),
            *("--service-cluster-ip-range=10.96.0.0/16", "--enable-admission-plugins=NodeRestriction"),
            *(f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"),
            *("--service-account-issuer=https://kubernetes.default.svc", "--allow-privileged=true"),
            *self.more,
        ]

    def _await(self):
        """Until it is ready. Raises Failed."""
        until = time.monotonic() + READY
        while not self._is_ready():
            if time.monotonic() > until or any(process.poll() is not None for process in self.running):
                said = (self.folder / "kube-apiserver.log").read_text()[-800:]
                raise Failed(f"the real API server is not ready; it says last:\n{said}")
            time.sleep(0.25)

    def _is_ready(self):
        context = ssl._create_unverified_context()
        asked = urllib.request.Request(
            f"{self.url}/api/v1/namespaces/default", headers={"Authorization": "Bearer admintoken"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=5, context=context) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
