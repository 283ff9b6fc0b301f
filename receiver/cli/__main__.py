"""`python -m receiver.cli`, where the script `receiver` is not on the path."""

from receiver.cli import main

main(prog_name="receiver")
