"""The door, asked over real sockets on this machine."""
