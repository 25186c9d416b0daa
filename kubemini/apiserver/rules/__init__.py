"""What kinds share: the words of complaints, the rules and defaults of metadata, pods and their containers. Pure.

Each function yields every cause it finds, in the order of Kubernetes' own validation, in its own words.
"""
