"""The phone numbers of the organization, and the agents that they are bound to."""
