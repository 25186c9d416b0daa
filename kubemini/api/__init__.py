"""The vocabulary of the Kubernetes API, pure: every other package may speak it, and it imports none of them.

Read in this order: ``objects`` (Kubernetes objects are values) · ``schema/`` (which fields there are: facts, and
the decoder that reads by them) · ``kinds`` (which kinds there are, which are simulated) · ``labels`` and ``fields``
(selectors) · ``quantity``, ``timestamps``, ``gotime``, ``names``, ``tolerations`` · ``errors`` (failures are values) ·
``patch/`` · ``documents``, ``manifests``, ``hints``, ``unsimulated`` (what people write, and what they are told).
"""
