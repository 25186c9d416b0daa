"""The member that drives Raft and the store: a clock, a disk, a wire, clients."""
