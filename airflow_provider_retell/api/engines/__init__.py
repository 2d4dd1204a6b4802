"""The response engines of agents: Retell LLMs and conversation flows.

API reference: https://docs.retellai.com/api-references/get-retell-llm.
"""
