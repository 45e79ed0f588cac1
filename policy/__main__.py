"""The policy pack, as the engine starts it."""

from mesh_trust_rules.pack import serve

serve()
