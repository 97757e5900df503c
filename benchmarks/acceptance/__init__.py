"""How well an operator's own models do, on the operator's own recordings and questions."""
