"""The container runtime of a host, containerd with its programs: what runs there, whoever manages it."""
