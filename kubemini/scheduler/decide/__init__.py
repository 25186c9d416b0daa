"""What the scheduler decides with: its picture of the nodes, its queue, and one decision. Pure."""
