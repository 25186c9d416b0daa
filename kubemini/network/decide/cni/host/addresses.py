"""Addresses and networks as values, read once: a host says the same few of them again and again.

Models containernetworking/plugins pkg/ip ParseIP
"""

import ipaddress
from functools import lru_cache

KEPT = 4096  # texts: many times what one cluster holds

ip_address = lru_cache(KEPT)(ipaddress.ip_address)
ip_interface = lru_cache(KEPT)(ipaddress.ip_interface)
ip_network = lru_cache(KEPT)(ipaddress.ip_network)
