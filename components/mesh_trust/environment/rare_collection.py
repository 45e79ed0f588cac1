"""Importing this has the collector of garbage look rarely, as fits a program that runs for seconds.

The SDKs make half a million objects that stay, and it would go through all of them again and again
while they are loaded, a fifth of the time that this takes.
"""

import gc

_NEW_OBJECTS = 100_000
"""So many more objects than before have it look; it is 700 otherwise."""

gc.set_threshold(_NEW_OBJECTS)
