"""The command line ``aligntune``: a file for each subcommand, and a file for each thing they share."""
