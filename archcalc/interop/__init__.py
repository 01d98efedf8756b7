"""Models of others: files of torch, ONNX and safetensors read as they are, without their frameworks.

    file ──read──▶ Trace ──prune──▶ Trace ──per image──▶ Trace ──tally──▶ rows of exact counts

`trace` is the one model that every reader makes, `vocabulary` the words its operations are written in
and what each of them costs. Nothing here knows `operators` or `graph`: it counts what the file says, by
arithmetic of its own.
"""
