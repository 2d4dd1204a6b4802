"""Response engines: Retell LLMs and conversation flows, which are versioned together with their agent."""
