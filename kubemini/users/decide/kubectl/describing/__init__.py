"""``kubectl describe``: what a person wants to know of one object, from that object and those around it. Pure."""
