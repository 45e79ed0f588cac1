"""Runs the command."""

from operations.cli import main
from operations.preflight.command import preflight

main.add_command(preflight)
main(prog_name="mesh-trust")
