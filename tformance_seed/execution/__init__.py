"""Run the pipeline: a broker with actors on three queues, worker processes, and their supervisor."""
