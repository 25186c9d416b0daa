"""Where an HTTP request goes, and which rule decided: Ingress, Gateway API, one controller's reading, proxies. Pure.

requests.py    a request, a verdict, the words for hosts and paths that both APIs share
ingress.py     Ingress as its text reads: hosts, paths, default back end, class
gateway.py     a request through a Gateway: listener, route, rule, filters, back ends
listeners.py   listeners of Gateways and ListenerSets, and which routes attach to them
matches.py     matches of HTTPRoute and GRPCRoute, and which of them wins
filters.py     what filters do to a request, to an answer, and instead of a back end
references.py  back ends: do they exist, may they be named from here
tls.py         which certificate a client is shown
status.py      the conditions that a controller writes
traefik.py     the same objects as Traefik reads them
backends.py    what a misbehaving server does to a proxy
proxies.py     what nginx and HAProxy then do to their client
"""
