"""Load balancers' addresses: who gets one, and which node answers for it. Pure."""
