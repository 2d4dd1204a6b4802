"""The DAG in dags/enrich.py."""


def test_the_tier_is_written_to_every_call(retell_emulator, run_dag, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SOURCE", "crm")
    for call_id in ("call_1", "call_2"):
        retell_emulator.add_call(call_id=call_id, call_status="ended", metadata={"customer": "C-1001"})
    run_dag("enrich", tier="gold")
    for call in retell_emulator.calls.values():
        assert call["metadata"] == {"customer": "C-1001", "tier": "gold", "source": "crm"}
