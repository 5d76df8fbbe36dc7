"""What the structs of a reading declare: the allowlist, seen from the outside (COL-02)."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct, inspect
from msgspec.inspect import StructType, Type

Place = tuple[str | int, ...]
"""Where a value stands in a record: keys and indices from the outside to the inside."""

FREE = {
    inspect.AnyType: "takes anything",
    inspect.BytesType: "takes any bytes",
    inspect.ByteArrayType: "takes any bytes",
    inspect.MemoryViewType: "takes any bytes",
    inspect.CustomType: "takes anything",
    inspect.DictType: "takes names that the tool makes up",
    inspect.RawType: "takes anything, undecoded",
}
"""Types that let content through, because they do not say which fields are wanted."""

LISTS = (
    inspect.ListType,
    inspect.SetType,
    inspect.FrozenSetType,
    inspect.VarTupleType,
    inspect.CollectionType,
)
SCALARS = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.BoolType)
OTHER_SCALARS = (
    inspect.DateTimeType,
    inspect.DateType,
    inspect.DecimalType,
    inspect.EnumType,
    inspect.LiteralType,
    inspect.TimeDeltaType,
    inspect.TimeType,
    inspect.UUIDType,
)


def declared(*structs: type[Struct] | None) -> list[Type]:
    """What a record may be that is decoded as any of these structs."""
    return [inspect.type_info(struct) for struct in structs if struct is not None]


def free_content(kinds: Iterable[Type]) -> Iterator[tuple[str, str]]:
    """Fields that decode more than what they name: where, and what they let through."""
    met: set[type] = set()
    waiting = [("", kind) for kind in kinds]
    for where, kind in waiting:
        if type(kind) in FREE:
            yield where, FREE[type(kind)]
        waiting += [(where, part) for part in _parts(kind)]
        if isinstance(kind, StructType) and kind.cls not in met:
            met.add(kind.cls)
            inside = f"{where}." if where else ""
            waiting += [(f"{inside}{field.name}", field.type) for field in kind.fields]


def _parts(kind: Type) -> list[Type]:
    """What a type is made of, the fields of structs and the insides of dictionaries apart."""
    if isinstance(kind, inspect.UnionType):
        return list(kind.types)
    if isinstance(kind, inspect.Metadata):
        return [kind.type]
    if isinstance(kind, inspect.TupleType):
        return list(kind.item_types)
    return [kind.item_type] if isinstance(kind, LISTS) else []


def alternatives(kinds: Iterable[Type]) -> list[Type]:
    """The types behind unions and annotations."""
    found = list(kinds)
    for kind in found:
        if isinstance(kind, inspect.UnionType | inspect.Metadata):
            found += _parts(kind)
    return [kind for kind in found if not isinstance(kind, inspect.UnionType | inspect.Metadata)]


def below(kinds: Iterable[Type], step: str | int) -> list[Type]:
    """What is declared under a key or an index; nothing when the decoder skips it."""
    found: list[Type] = []
    for kind in alternatives(kinds):
        if isinstance(kind, StructType):
            found += _field(kind, step)
        elif isinstance(step, int):
            found += _parts(kind)
        elif isinstance(kind, inspect.DictType):
            found.append(kind.value_type)
    return found


def _field(kind: StructType, step: str | int) -> list[Type]:
    if isinstance(step, int):
        return [kind.fields[step].type] if kind.array_like and step < len(kind.fields) else []
    if step == kind.tag_field:
        return [inspect.StrType()]
    return [field.type for field in kind.fields if field.encode_name == step]


def takes_text(kinds: Iterable[Type]) -> bool:
    """Whether a string may stand there: numbers may be written as strings."""
    return any(isinstance(kind, SCALARS + OTHER_SCALARS) for kind in alternatives(kinds))


def takes_new_fields(kinds: Iterable[Type]) -> bool:
    """Whether an object there may get a field that nobody knows, without being another object."""
    return not any(isinstance(kind, inspect.DictType) for kind in alternatives(kinds))


def steps(value: Any) -> Iterator[tuple[str | int, Any]]:
    """The keys or indices of a value, and what stands there."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def declared_places(value: Any, kinds: list[Type], at: Place = ()) -> Iterator[Place]:
    """The places in a record that are decoded, from the outside to the inside."""
    for step, inside in steps(value):
        if further := below(kinds, step):
            yield (*at, step)
            yield from declared_places(inside, further, (*at, step))


def declared_texts(value: Any, kinds: list[Type]) -> Iterator[str]:
    """The strings in a record that are decoded."""
    if isinstance(value, str) and takes_text(kinds):
        yield value
    for step, inside in steps(value):
        yield from declared_texts(inside, below(kinds, step))


def lone_fields(struct: type[Struct]) -> Iterator[Place]:
    """The place of every declared field, as deep as structs are nested without repeating."""
    yield from _lone_fields(declared(struct), (), ())


def _lone_fields(kinds: list[Type], at: Place, around: tuple[type, ...]) -> Iterator[Place]:
    for kind in alternatives(kinds):
        if isinstance(kind, StructType) and not kind.array_like and kind.cls not in around:
            for field in kind.fields:
                place = (*at, field.encode_name)
                yield place
                yield from _lone_fields([field.type], place, (*around, kind.cls))
        elif isinstance(kind, LISTS):
            yield from _lone_fields([kind.item_type], (*at, 0), around)


def lone(place: Place, value: Any) -> Any:
    """A record with nothing but ``value`` at ``place``."""
    for step in reversed(place):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def named(place: Place) -> str:
    """A place for a person: ``messages[2].tokens``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def decodes(line: bytes, struct: type[Struct]) -> bool:
    """Whether the host gets a record out of these bytes."""
    try:
        msgspec.json.decode(line, type=struct, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
