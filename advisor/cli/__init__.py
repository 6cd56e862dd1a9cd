"""The command line: one file per command, each reads options, calls a journey and shows a page."""
