"""Body parameter files of other tools, one file per family of formats."""
