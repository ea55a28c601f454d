"""What can be trained: the autoencoder, and the network with its UNet."""
