"""One thin file a command: options → one library call → one view."""
