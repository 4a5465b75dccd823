"""Pictures: where each lies, how a file holds several, and how their pixels are decoded."""
