"""Scripts for the program's own interpreter: they import the standard library and the Pulumi SDK.

The language host executes them by path, since that interpreter has no other module of this package.
"""
