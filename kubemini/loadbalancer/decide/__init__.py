"""What a load balancer decides: which servers are well, and which is next. Pure."""
