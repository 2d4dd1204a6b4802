"""Request bodies of the simulation endpoints.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_retell.api.body import Body, FreeObject, Text, TextMap


class RetellLlm(Body):
    """A Retell LLM as a response engine."""

    type: Literal["retell-llm"]
    llm_id: Text
    version: int | None = None


class ConversationFlow(Body):
    """A conversation flow as a response engine."""

    type: Literal["conversation-flow"]
    conversation_flow_id: Text
    version: int | None = None


SimulatedEngine = Annotated[RetellLlm | ConversationFlow, Field(discriminator="type")]


class AnyInput(Body):
    """The rule of a mock that answers every call of its tool."""

    type: Literal["any"]


class PartialMatch(Body):
    """The rule of a mock that answers the calls with certain arguments. The real tool answers all others."""

    type: Literal["partial_match"]
    args: FreeObject


class ToolMock(Body):
    """A fake response of one tool. ``output`` should be JSON text, as the real tool would return it."""

    tool_name: Text
    input_match_rule: Annotated[AnyInput | PartialMatch, Field(discriminator="type")]
    output: str
    result: bool | None = None


class UpdateTestCaseDefinition(Body):
    """Body of update-test-case-definition. Retell keeps the fields that it leaves out."""

    name: Text | None = None
    user_prompt: Text | None = None
    metrics: Annotated[list[Text], Field(min_length=1)] | None = None
    response_engine: SimulatedEngine | None = None
    dynamic_variables: TextMap | None = None
    llm_model: Text | None = None
    tool_mocks: list[ToolMock] | None = None


class CreateTestCaseDefinition(UpdateTestCaseDefinition):
    """Body of create-test-case-definition."""

    name: Text
    user_prompt: Text
    metrics: Annotated[list[Text], Field(min_length=1)]
    response_engine: SimulatedEngine


class CreateBatchTest(Body):
    """Body of create-batch-test."""

    response_engine: SimulatedEngine
    test_case_definition_ids: Annotated[list[Text], Field(min_length=1)]
