"""Levenberg-Marquardt fit of a body to observations of people."""
