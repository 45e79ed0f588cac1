"""A small provider plugin for the Kubernetes objects of this project.

It stands in where the official plugin cannot be had, and keeps the same state: a stack made with
one of the two previews empty with the other.
"""
