"""`python -m operations` in a checkout: the command mesh-trust."""

from mesh_trust.operations.command import main

if __name__ == "__main__":
    main(prog_name="mesh-trust")
