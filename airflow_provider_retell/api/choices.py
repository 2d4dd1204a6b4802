"""Parameters that have a fixed set of values. DAG files import this module, so it imports nothing heavy."""

from __future__ import annotations

from typing import Literal, get_args

DataStorageSetting = Literal["everything", "everything_except_pii", "basic_attributes_only"]
"""The data that Retell stores, from most to least. The setting of a call can only be made stricter."""

STORAGE_ORDER: tuple[DataStorageSetting, ...] = get_args(DataStorageSetting)

ChatStorageSetting = Literal["everything", "basic_attributes_only"]
"""The settings that a chat can have."""

CHAT_STORAGE_ORDER: tuple[ChatStorageSetting, ...] = get_args(ChatStorageSetting)

MetadataMode = Literal["merge", "fill", "replace"]
"""How to combine new metadata with the call's metadata.

``merge``: set the given top-level keys and keep the others. ``fill``: set only keys that are missing or null.
``replace``: set the given keys and delete all others.
"""

METADATA_MODES: tuple[MetadataMode, ...] = get_args(MetadataMode)

Until = Literal["ended", "analyzed", "transfer_ended"]
"""The states of a call that tasks wait for.

``ended``: the agent's part of the call is over. ``analyzed``: Retell has analyzed it, some seconds to minutes later.
``transfer_ended``: the call is over, and if the agent has transferred it, the conversation after the transfer too.
"""

UNTIL: tuple[Until, ...] = get_args(Until)

ChatUntil = Literal["ended", "analyzed"]
"""The states of a chat that tasks wait for."""

CHAT_UNTIL: tuple[ChatUntil, ...] = get_args(ChatUntil)

Channel = Literal["voice", "chat"]
"""The kinds of agents. Retell has separate endpoints for each."""

CHANNELS: tuple[Channel, ...] = get_args(Channel)

OnForeignDraft = Literal["fail", "overwrite", "discard"]
"""What happens if an agent has a draft with other changes.

``fail``: raise an error that names the fields. ``overwrite``: set these fields back to their published values.
``discard``: delete the draft and fork a new one.
"""

ON_FOREIGN_DRAFT: tuple[OnForeignDraft, ...] = get_args(OnForeignDraft)

BatchUntil = Literal["ended", "analyzed"]
"""The states of all calls of a batch that tasks wait for."""

BATCH_UNTIL: tuple[BatchUntil, ...] = get_args(BatchUntil)

ANALYSIS_FIELDS = ("call_successful", "in_voicemail", "user_sentiment")
"""The fields of Retell's own analysis that a result can contain. ``call_summary`` repeats the conversation."""

CHAT_ANALYSIS_FIELDS = ("chat_successful", "user_sentiment")
"""The fields of Retell's own analysis of a chat that a result can contain."""
