"""The base of every record that crosses a room's border: frozen, strict, printable as JSON."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value; unknown fields are errors, so that a typo in a file never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
