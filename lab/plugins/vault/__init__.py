"""The lab's own vault plugin: the engine's protocol on one side, a real Vault on the other.

It has the resource types and functions that this project uses, and behaves for them as the
official plugin of the same version does, down to the form of the recorded state.
"""
