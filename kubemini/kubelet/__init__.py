"""The kubelet: what the API says should run on a host, what runs there, and the difference."""
