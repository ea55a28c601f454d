"""Small networks that differ in how they are told the target pose, trained alike and compared."""
