"""The first line of what a library raised: the rest is its own stack."""


def first_line(error: BaseException, length: int = 200) -> str:
    """Return the first line of an error's text, or the name of its class where it has none."""
    text = str(error).strip()
    return text.splitlines()[0][:length] if text else type(error).__name__
