"""Read models of others: files of torch, ONNX and safetensors as they are, without their frameworks.

    file ──read──▶ Trace ──prune──▶ Trace ──per image──▶ Trace ──tally──▶ rows of exact counts

`trace` is the one model that every reader makes; `vocabulary` holds the words of its operations and
the cost of each. Nothing here knows `operators` or `graph`: it counts what the file says, by its own
arithmetic.
"""
