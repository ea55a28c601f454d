"""Train, evaluate, and make the data: python -m training.train, .evaluate, .make_synthetic."""
