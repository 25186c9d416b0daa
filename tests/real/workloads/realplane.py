"""An unmodified control plane on loopback: etcd, kube-apiserver, kube-controller-manager and, if asked, the scheduler.

As the histories were recorded: all controllers at their defaults, but with more requests a second, so that stories told
side by side do not slow each other, and without CIDRs of nodes.
"""

from tests.oracles.ha.real.programs import KUBECONFIG
from tests.real.api.realserver import TOKENS, RealServer, free_ports

MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
OTHERS = "".join(f"{name}token,system:{name},{name},\n" for name in (MANAGER, SCHEDULER))


class RealPlane(RealServer):
    """The programs of *binary*, for as long as the `with` block lasts; *scheduler*: whether that runs too.

    *flags* of the controller manager, beside those that all have.
    """

    def __init__(self, binary, folder, scheduler=False, flags=()):
        super().__init__(binary, folder)
        self.tokens = TOKENS + OTHERS
        self.programs = [(MANAGER, (*self._managing(), *flags)), *([(SCHEDULER, ())] if scheduler else [])]

    def __enter__(self):
        super().__enter__()
        try:
            for name, options in self.programs:
                self._start(name, [*self._serving(name), *options])
        except BaseException:
            self.__exit__()
            raise
        return self

    def _serving(self, name):
        config = self.folder / f"{name}.kubeconfig"
        config.write_text(KUBECONFIG.format(server=self.url, token=f"{name}token"))
        (port,) = free_ports(1)
        return [
            *(f"--kubeconfig={config}", "--bind-address=127.0.0.1", f"--secure-port={port}", "--leader-elect=false"),
            f"--cert-dir={self.folder}/certificates",
        ]

    def _managing(self):
        return [
            *(f"--service-account-private-key-file={self.folder}/sa.key", "--use-service-account-credentials=true"),
            *("--controllers=*", "--kube-api-qps=300", "--kube-api-burst=500"),
        ]
