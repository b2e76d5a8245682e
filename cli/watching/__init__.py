"""`watch` as a live screen: the cases that are open, as the desk's Stream shows them."""
