"""Voice and chat agents and their versions."""
