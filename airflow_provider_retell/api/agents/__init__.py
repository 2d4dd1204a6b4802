"""Agents, chat agents and their versions. API reference: https://docs.retellai.com/api-references/get-agent."""
