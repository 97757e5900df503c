"""How the tables came to be, one step a file. They are applied when a store is opened."""
