"""Notation as people write it, turned into the text of the strict grammar; what has two readings is refused."""
