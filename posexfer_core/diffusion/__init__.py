"""The diffusers host: attach the network to a UNet and sample."""
