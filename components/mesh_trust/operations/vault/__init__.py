"""Vault's own life around the stack: initialised, unsealed, and given a token for `pulumi up`."""
