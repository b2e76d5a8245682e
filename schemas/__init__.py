"""What services say to each other: one class per fact, one register, one envelope."""
