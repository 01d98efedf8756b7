"""Keep a sweep in a directory: manifest, parts, and summaries."""
