"""Conversations with an unmodified kube-apiserver 1.37.2 over etcd 3.7.3, judged by their own run.py on ours.

run.py        the judge, as it came with the recordings: it normalises, fills in, waits and compares
world.py      what it talks to: an API server of ours, asked in this process
replaying.py  the two together; ``python -m tests.oracles PATH…`` finds sessions by it
keep.py       which sessions are played in every run of the tests: those in recorded/
"""
