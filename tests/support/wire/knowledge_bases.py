"""Examples of the endpoints of knowledge bases."""

from __future__ import annotations

import hashlib

from airflow_provider_retell.api.knowledge_bases.bodies import KnowledgeBaseFile
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.multipart import Content
from wire import Example

FORM = "multipart/form-data"
TEXTS = [{"title": "Hours", "text": 'Mon "9"\nto 5 ż 🎉'}, {"title": 'A "title"', "text": "b"}]
TEXTS_JSON = '[{"title":"Hours","text":"Mon \\"9\\"\\nto 5 ż 🎉"},{"title":"A \\"title\\"","text":"b"}]'
FILES = [KnowledgeBaseFile("a.pdf", Content.of(b"%PDF-")), KnowledgeBaseFile('ż "b"', Content.of(b"b"))]
FILES_SENT = [
    {
        "filename": "a.pdf",
        "content_type": "application/pdf",
        "size": 5,
        "sha256": hashlib.sha256(b"%PDF-").hexdigest(),
    },
    {
        "filename": "ż %22b%22",
        "content_type": "application/octet-stream",
        "size": 1,
        "sha256": hashlib.sha256(b"b").hexdigest(),
    },
]

EXAMPLES = [
    Example(
        "create_knowledge_base",
        ("Handbook",),
        {
            "knowledge_base_texts": TEXTS,
            "knowledge_base_files": FILES,
            "knowledge_base_urls": ["https://example.com/ż"],
            "enable_auto_refresh": True,
            "min_chunk_size": 300,
            "max_chunk_size": 3000,
        },
        "POST /create-knowledge-base",
        {
            "knowledge_base_name": ["Handbook"],
            "knowledge_base_texts": [TEXTS_JSON],
            "knowledge_base_files": FILES_SENT,
            "knowledge_base_urls": ['["https://example.com/ż"]'],
            "enable_auto_refresh": ["true"],
            "min_chunk_size": ["300"],
            "max_chunk_size": ["3000"],
        },
        201,
        KnowledgeBase,
        FORM,
        sent_once=True,
    ),
    Example(
        "create_knowledge_base",
        ("Handbook",),
        {},
        "POST /create-knowledge-base",
        {"knowledge_base_name": ["Handbook"]},
        201,
        KnowledgeBase,
        FORM,
        sent_once=True,
    ),
    Example(
        "add_knowledge_base_sources",
        ("kb_1",),
        {"knowledge_base_texts": TEXTS, "knowledge_base_files": FILES},
        "POST /add-knowledge-base-sources/kb_1",
        {"knowledge_base_texts": [TEXTS_JSON], "knowledge_base_files": FILES_SENT},
        201,
        KnowledgeBase,
        FORM,
        sent_once=True,
    ),
    Example("get_knowledge_base", ("kb_1",), {}, "GET /get-knowledge-base/kb_1", None, 200, KnowledgeBase),
    Example("list_knowledge_bases", (), {}, "GET /list-knowledge-bases", None, 200, list),
    Example(
        "delete_knowledge_base_source",
        ("kb_1", "source_1"),
        {},
        "DELETE /delete-knowledge-base-source/kb_1/source/source_1",
        None,
        200,
        KnowledgeBase,
    ),
    Example("delete_knowledge_base", ("kb_1",), {}, "DELETE /delete-knowledge-base/kb_1", None, 204, None),
]
