"""Calls and batches of calls. API reference: https://docs.retellai.com/api-references/get-call."""
