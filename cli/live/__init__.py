"""The screen of `crossdock watch`: the open cases of a world, updated live."""
