"""``python -m aligntune``: the program, in the environment of an interpreter that is named."""

from aligntune_core.cli.main import main

if __name__ == "__main__":
    main()
