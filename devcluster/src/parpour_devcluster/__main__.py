"""Runs the command line as `python -m parpour_devcluster`."""

from parpour_devcluster.cli import main

main(prog_name="parpour-devcluster")
