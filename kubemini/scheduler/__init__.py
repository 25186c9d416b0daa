"""kube-scheduler: for each pod without a node, filter the nodes that can take it, score them, bind it to the best."""
