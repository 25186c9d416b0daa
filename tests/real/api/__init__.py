"""Real clients at the door of a simulated cluster: kubectl 1.37 and the client libraries, as they come."""
