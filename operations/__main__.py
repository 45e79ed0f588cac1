"""Runs the command."""

from operations.cli import main
from operations.rotate import rotate

main.add_command(rotate)

if __name__ == "__main__":
    main(prog_name="mesh-trust")
