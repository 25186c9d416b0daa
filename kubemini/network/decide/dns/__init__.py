"""DNS of a cluster: what a pod's resolver asks, and what CoreDNS answers; pure."""
