"""Who watches over nodes: their health, their taints, how fast pods are evicted, pods without a node. Pure."""
