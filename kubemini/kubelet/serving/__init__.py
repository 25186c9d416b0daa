"""The server of a kubelet, on port 10250: logs of containers, commands in them, connections to their ports."""
