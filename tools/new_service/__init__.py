"""Copy the empty house: a service with one noun and one act that passes every gate from its first minute."""
