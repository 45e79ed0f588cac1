"""The rules of a mesh's trust in Vault, each a function over a resource's properties."""
