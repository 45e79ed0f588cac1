"""Real Kubernetes nodes, one for each of the lab's clusters, in namespaces of the kernel.

A node is a process of the lab that holds namespaces of its own for network, mounts, processes, host
name and shared memory. All that belongs to the node runs or is mounted in there, so that the kernel
takes every bit of it back when that one process ends, however it ends.
"""
