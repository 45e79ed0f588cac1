"""Runs the command."""

from operations.command import main

main(prog_name="mesh-trust")
