"""Maps, control maps, skeletons and overlays of posed bodies."""
