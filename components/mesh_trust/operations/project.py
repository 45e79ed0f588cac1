"""The name of the program's project."""

PROJECT = "mesh-trust"
"""That of Pulumi.yaml: the namespace of all keys of the configuration."""
