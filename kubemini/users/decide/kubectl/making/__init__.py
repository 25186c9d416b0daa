"""``create KIND NAME``: an object out of flags, one function a kind. Pure.

Models k/kubectl pkg/cmd/create.
"""
