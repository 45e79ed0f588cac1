"""Runs the command."""

from operations.cli import main

main(prog_name="mesh-trust")
