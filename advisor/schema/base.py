"""The base of every record that crosses a room's border: frozen, strict, printable as JSON."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value; unknown fields are errors, so that a typo in a file never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy with changes, without what the original had cached from its old fields.

        Previews copy tens of thousands of records, so the shallow copy is made by hand: records hold no private
        attributes, and sharing the set of given fields between frozen records is safe.
        """
        if deep:
            return super().model_copy(update=update, deep=True)
        cls = type(self)
        fields = self.__dict__
        values = {name: fields[name] for name in cls.__pydantic_fields__}
        given = self.__pydantic_fields_set__
        if update:
            values.update(update)
            if not given.issuperset(update):
                given = given | update.keys()
        return cls._of(values, given)

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """Build from values of all fields that are valid already, as fusion does thousands of times."""
        return cls._of(values, set(values))

    @classmethod
    def _of(cls, values: dict[str, Any], given: set[str]) -> Self:
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", given)
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made
