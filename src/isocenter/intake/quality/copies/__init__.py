"""Images that show the same as another: pictures saved again, cut, mirrored, turned; stacks too."""
