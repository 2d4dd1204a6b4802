"""Words that are usual in error messages about requests and files. They reveal nothing about a document."""

from __future__ import annotations

_TEXT = """
a about above accept accepted access additional after again all allowed already an and any are argument array as at
attempt attempts bad base bases be because been before below between body boolean broken but by bytes can cannot
characters chunk chunks connect connection content could create created credentials data decode decoding decrypt delete
deleted denied did document documents does duplicate during empty encoding encrypted end error errors exceed exceeded
exceeds exist exists expected expired extension extract extracted extraction fail failed failing fails failure fetch
field fields file filename files for forbidden form format found from had has have html http https id ids if image in
index indexed indexing input integer internal into invalid is it items its json key knowledge large larger least length
less limit limited limits list long lost many max maximum maybe mb memory message messages min minimum missing more most
multipart must name names new no not number object of on one only open or other out page pages parse parsed parser
parsing part parts password payload pdf peer permission pipe please processed processing property protected provided
read received refused reject rejected remote removed request requests required reset response retell retry same scanned
schema server service should size smaller some source sources status still store stored string supported take text
texts than that the there this time timed timeout title titles to too try twice txt type types unable unexpected unicode
unknown unreadable unsupported until up upload uploaded uploading url urls use used utf valid value values version was
were when while with without would write written xml you your zero
"""

ERROR_WORDS = frozenset(_TEXT.split())
