"""How close a picture is to the one wanted."""
