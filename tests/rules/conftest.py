"""The real engine, and a stack with a program that breaks rules or keeps them."""

from tests.engine import engine

__all__ = ["engine"]
