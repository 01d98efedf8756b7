"""Define the commands, one thin file each: options → one library call → one view."""
