"""What happens around `pulumi up`: looks before it, looks after it, and rotations."""
