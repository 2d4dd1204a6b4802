"""Simulation tests of agents. API reference: https://docs.retellai.com/api-references/create-batch-test.

A *test case* (Retell: test case definition) describes a simulated user and the metrics to grade the conversation by. A
*batch test* runs test cases against one version of a response engine. Each test case in it gives one *test run*, which
has the verdict.
"""
