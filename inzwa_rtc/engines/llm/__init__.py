"""Reply engines, one file each."""
