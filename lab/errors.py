"""What goes wrong in the lab, as one clear line for the person who runs it."""


class LabError(Exception):
    """The lab cannot do what it was asked to; the message says why and what to do."""
