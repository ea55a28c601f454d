"""Body parameters from what can be seen of a person."""
