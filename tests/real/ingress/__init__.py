"""Real HAProxy and nginx, configured from Ingress objects: do they send requests where ours says?"""
