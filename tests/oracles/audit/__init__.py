"""The audit log of an unmodified kube-apiserver 1.37.2, held against ours, line by line.

python -m tests.oracles.audit.record      ask a real server anew, once a policy, and write recorded.json.gz
"""
