"""Settings that only exceptions knows: none. What a response follows is data: playbooks and thresholds."""
