"""What the language host refuses."""


class LanguageHostError(Exception):
    """A request that cannot be served, said in one clear line for the engine's user."""
