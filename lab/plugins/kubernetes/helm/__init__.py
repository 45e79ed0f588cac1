"""Helm releases, driven through the `helm` command: the type `kubernetes:helm.sh/v3:Release`."""
