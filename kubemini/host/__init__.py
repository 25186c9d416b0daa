"""Machines: power, disks, and the programs that run on them."""

from kubemini.host.component import Component, Timer
from kubemini.host.machine import Disk, Host

__all__ = ["Component", "Disk", "Host", "Timer"]
