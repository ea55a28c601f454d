"""From a source image and a target pose to the inputs of the network."""
