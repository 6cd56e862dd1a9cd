"""What runs on the board: programs of Python's standard library alone, from 3.8 on; nothing imports advisor."""
