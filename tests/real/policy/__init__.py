"""Policies: the evaluators of kube-network-policies, live, beside our judge."""
