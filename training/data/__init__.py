"""What the trainer reads: shards of pairs, and the conditions made of them."""
