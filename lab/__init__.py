"""The embedded environment: tools, Kubernetes clusters and a Vault on one machine."""
