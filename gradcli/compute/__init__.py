"""Numbers: programs, the grids they run over, the engines that run them, and how blocks are spread over threads."""
