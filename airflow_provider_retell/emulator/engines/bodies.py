"""The request bodies of the endpoints of response engines, as schemas. Only the names of fields are checked."""

from __future__ import annotations

from airflow_provider_retell.emulator.schema import closed

_LLM_FIELDS = (
    "backup_model",
    "begin_after_user_silence_ms",
    "begin_message",
    "default_dynamic_variables",
    "general_prompt",
    "general_tools",
    "is_transfer_llm",
    "kb_config",
    "knowledge_base_ids",
    "mcps",
    "model",
    "model_config",
    "model_high_priority",
    "model_temperature",
    "model_ultrafast",
    "s2s_model",
    "start_speaker",
    "starting_state",
    "states",
    "tool_call_strict_mode",
)

_FLOW_FIELDS = (
    "backup_model",
    "begin_after_user_silence_ms",
    "begin_tag_display_position",
    "components",
    "default_dynamic_variables",
    "flex_mode",
    "global_prompt",
    "is_transfer_cf",
    "kb_config",
    "knowledge_base_ids",
    "mcps",
    "model_choice",
    "model_config",
    "model_temperature",
    "nodes",
    "notes",
    "start_node_id",
    "start_speaker",
    "tool_call_strict_mode",
    "tools",
)

UPDATE_LLM = closed({name: {} for name in _LLM_FIELDS})
UPDATE_FLOW = closed({name: {} for name in _FLOW_FIELDS})
