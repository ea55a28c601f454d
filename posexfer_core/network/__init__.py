"""The pose-transfer network, without a host."""
