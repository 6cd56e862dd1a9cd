from tests.cli.conftest import invoke, invoke_json  # noqa: F401  (fixtures)
