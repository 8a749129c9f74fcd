"""Functions made of expressions, called from Python."""
