"""The organization that an API key belongs to. API reference: https://docs.retellai.com/api-references/get-concurrency."""
