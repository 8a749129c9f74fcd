"""How much memory a request may hold, and how much symbolic work it may do."""
