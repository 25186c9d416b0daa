"""Chapter *Break it first*: what stays without the only API server, and how to read a trace."""
