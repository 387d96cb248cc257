"""`python -m api.main` is the `kaimen` command."""

from api.main.cli import main

main()
