"""What the exercises of this chapter share: the programs, and when what happens in a run."""

PROGRAMS = ("apiserver-1", "etcd-1", "controller-manager-1", "scheduler-1", "kubelet@worker-1", "kube-proxy@worker-1")
CRASH, SCALE, END = 15, 20, 45  # seconds
