"""Requests, and what an unmodified kube-apiserver 1.37.2 over etcd 3.7.3 answered: one session a line, an area a file.

``known.txt`` holds the steps that we answer otherwise and know of (``area/session step``): what this simulator lacks.
Steps about kinds that are not served here, Tables and bodies that are no JSON are left out.
Uids, versions, times, addresses and ports that a server makes up are labels (``uid-1``, ``rv-2``, ``<time>``).
"""
