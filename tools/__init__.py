"""Tools for developers and for setting a world up; may import everything, nobody imports them."""
