"""istiod where there are no nodes: a process of this machine for each workload cluster."""
