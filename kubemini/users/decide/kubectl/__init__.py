"""kubectl, as people type it: a line → the requests that it sends, and what it prints. Pure.

    carried_out = done(["get", "pods", "-o", "wide"], Line(Screen(), Known(), "https://…:6443"))    a generator

Theory of operation. A line is a generator that yields what it needs: requests, events of a watch, time, files
(asking.py). Whoever drives it (users/terminal.py) sends its requests through a server's own pipeline, so that every
table, refusal and default is the server's; what is written here is only what kubectl itself does: which requests, in
which order, and how an answer is printed. Verbs that look lie in verbs/, those that change something in changes/,
`create NAME` in making/, `describe` in describing/, forms of output in printing/.
Models k/kubectl pkg/cmd NewKubectlCommand.
"""
