"""Who stands behind a pseudonym: locked, opened by key alone, and every opening written down."""
