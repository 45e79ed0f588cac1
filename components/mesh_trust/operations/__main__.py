"""Runs the command."""

from mesh_trust.operations.command import main

main(prog_name="mesh-trust")
