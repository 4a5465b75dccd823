"""Identity taken off images: by the standard's profile, from headers, pixels and names of files, and the proof."""
