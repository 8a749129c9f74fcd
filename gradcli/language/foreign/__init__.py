"""What other languages write, and the text of this one that means the same. Loaded for errors only."""
