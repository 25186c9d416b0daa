"""kube-controller-manager: control loops that compare what is wanted with what is, and do the next step."""
