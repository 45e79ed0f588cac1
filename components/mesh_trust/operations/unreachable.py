"""Something that could not be looked at."""


class UnreachableError(Exception):
    """Something cannot be looked at; the message says why, on a single line."""

    def __init__(self, seen: str, fix: str) -> None:
        super().__init__(seen)
        self.fix = fix
        """What to do, on a single line."""
