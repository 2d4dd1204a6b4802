"""Shared parts of waits, for sensors, triggers and waiting operators."""
