"""Recorded lives of pods on a real kubelet, played on a node of ours."""
