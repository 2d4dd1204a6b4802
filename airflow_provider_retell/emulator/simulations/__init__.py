"""Simulation tests: test cases, batch tests and test runs, with scripted verdicts."""
