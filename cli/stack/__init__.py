"""Run the whole system on one machine."""

from cli.stack.stack import Stack
from cli.stack.state import Home, StackError
from cli.stack.worlds import World

__all__ = ["Home", "Stack", "StackError", "World"]
