"""How one block is computed. A backend turns a Program into a Kernel and knows nothing of threads or grids."""
