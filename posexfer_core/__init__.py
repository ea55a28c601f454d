"""Human pose transfer under 3D control: the library below the node pack and the trainer."""
