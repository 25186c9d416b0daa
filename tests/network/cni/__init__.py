"""The reference CNI plugins: what they do to a host, and the recording of the real ones."""
