"""Minutes on the user's own model and images: what plans do to its answers, and which layers and groups suffer most."""
