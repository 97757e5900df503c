"""What each HTTP request and its answer look like, whoever answers it."""
