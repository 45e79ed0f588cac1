"""What providers say when a function of theirs fails."""

from .readiness import on_one_line


def said_by_provider(error: Exception) -> str:
    """The provider's own words in the `error` of an invoke, on one line."""
    # They come after what SDK and engine say of the call.
    return on_one_line(str(error).rpartition(" returned an error: ")[2])
