"""Where a pod may be: the nodes it insists on, and the taints it puts up with. Pure."""
