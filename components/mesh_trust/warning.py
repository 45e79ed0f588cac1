"""Warnings of the program, each of which arrives."""

import pulumi


def warn(line: str) -> None:
    """Warns of `line`, at once.

    Of no resource in particular: the SDK sends what is said of one only when its loop has come to
    know the resource's URN, keeps no account of that, and ends without it where nothing else is
    left to be done (`_log` in pulumi/log.py). So a line names itself what it is about.
    """
    pulumi.log.warn(line)
