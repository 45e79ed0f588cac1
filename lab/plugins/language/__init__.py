"""Language host for Pulumi programs and plugins written in Python."""
