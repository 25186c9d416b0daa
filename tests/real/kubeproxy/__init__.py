"""kube-proxy's twin: the real one, fed with random Services, writes the rules that ours writes."""
