"""civlab's command line."""

from civlab.cli.command import main

__all__ = ["main"]
