"""The types of a Java package: one file for each object, enumeration and union.

Objects are final classes over their JSON with a builder: no constructor limits their size, unknown members stay, and
what is absent and what is null are two things. Enumerations are open; unions are sealed interfaces with `Unknown`.
"""

from sdk.escaping import in_words
from sdk.java.naming import constant, doc, member, text, type_name, variable
from sdk.model import EnumType, Field, Kind, NamedType, ObjectType, TypeRef, UnionType, Variant, Words
from sdk.wording import Names

_PLAIN = {
    Kind.STRING: ("String", "STRING"), Kind.DATE: ("LocalDate", "DATE"), Kind.DATE_TIME: ("OffsetDateTime", "DATE_TIME"),
    Kind.DECIMAL: ("BigDecimal", "DECIMAL"), Kind.INTEGER: ("Integer", "INTEGER"), Kind.LONG: ("Long", "LONG"),
    Kind.NUMBER: ("Double", "NUMBER"), Kind.BOOLEAN: ("Boolean", "BOOLEAN"), Kind.BYTES: ("byte[]", "BYTES"),
    Kind.BINARY: ("byte[]", "BYTES"), Kind.ANY: ("Object", "ANY"),
}  # fmt: skip
_PRIMITIVE = {"Integer": "int", "Long": "long", "Double": "double", "Boolean": "boolean"}
_ANY = TypeRef(Kind.ANY)
_MOST_LISTED = 500  # names written one by one; more would fill the method that makes the class
IMPORTS = {
    "BigDecimal": "java.math.BigDecimal", "BodyPublisher": "java.net.http.HttpRequest.BodyPublisher",
    "InputStream": "java.io.InputStream", "LocalDate": "java.time.LocalDate", "List": "java.util.List",
    "Map": "java.util.Map", "OffsetDateTime": "java.time.OffsetDateTime", "Optional": "java.util.Optional",
    "Set": "java.util.Set",
}  # fmt: skip


def java_type(ref: TypeRef | None) -> str:
    """The boxed type of a value."""
    ref = ref or _ANY
    if ref.kind == Kind.ARRAY:
        return f"List<{java_type(ref.of)}>"
    if ref.kind == Kind.MAP:
        return f"Map<String, {java_type(ref.of)}>"
    return type_name(ref.name) if ref.kind == Kind.NAMED else _PLAIN[ref.kind][0]


def primitive(ref: TypeRef) -> str:
    made = java_type(ref)
    return _PRIMITIVE.get(made, made)


def codec(ref: TypeRef | None) -> str:
    """The expression that reads and writes a value."""
    ref = ref or _ANY
    if ref.kind == Kind.ARRAY:
        return f"Codec.list({codec(ref.of)})"
    if ref.kind == Kind.MAP:
        return f"Codec.map({codec(ref.of)})"
    return type_name(ref.name) + ".CODEC" if ref.kind == Kind.NAMED else f"Codec.{_PLAIN[ref.kind][1]}"


def names_call(wires: list[str]) -> str:
    """`Model.names("a", "b")`, or one long literal that is taken apart."""
    if len(wires) <= _MOST_LISTED:
        return f"Model.names({', '.join(text(one) for one in wires)})"
    joint = next(char for char in "\n\x00\x01\x02\x03\x04" if not any(char in one for one in wires))
    return f"Model.names({text(joint.join(wires))}.split({text(joint)}))"


class TypeWriter:
    """Renders the named types of a model."""

    def __init__(self, types: tuple[NamedType, ...]) -> None:
        self._kinds = {one.name: one for one in types}
        self._unions: dict[Words, list[str]] = {}  # object -> unions that it is a variant of
        for one in types:
            if isinstance(one, UnionType):
                for variant in one.variants:
                    if self._is_object(variant):
                        self._unions.setdefault(variant.type.name, []).append(type_name(one.name))

    def _is_object(self, variant: Variant) -> bool:
        return isinstance(self._kinds[variant.type.name], ObjectType)

    def render(self, one: NamedType) -> str:
        """The declaration, without package and imports."""
        if isinstance(one, EnumType):
            return self._enum(one)
        return self._union(one) if isinstance(one, UnionType) else self._object(one)

    def _enum(self, one: EnumType) -> str:
        name = type_name(one.name)
        base = "String" if one.base == Kind.STRING else "Long"
        taken = Names([("codec",), ("known",)])
        constants = [(constant(taken.take(value.name)), value) for value in one.values]
        lines = [
            doc([in_words(one.text) or "An open enumeration."]),
            f"public final class {name} extends OpenEnum<{base}> {{\n",
        ]
        for made, value in constants:
            literal = text(value.wire) if isinstance(value.wire, str) else f"{value.wire}L"
            lines.append(doc([in_words(value.text)], "    "))
            lines.append(f"    public static final {name} {made} = new {name}({literal});\n")
        listed = ", ".join(made for made, _ in constants)
        lines.append(
            f"\n    private static final List<{name}> KNOWN = List.of(new {name}[] {{{listed}}});\n\n"
            "    /** Reads and writes it. */\n"
            f"    public static final Codec<{name}> CODEC = Codec.model(json -> of(Codec.{base.upper()}.read(json)));\n\n"
            f"    private {name}({base} value) {{\n        super(value);\n    }}\n\n"
            "    /** The value of this text or number, listed or not. */\n"
            f"    public static {name} of({base} value) {{\n        return new {name}(value);\n    }}\n\n"
            "    /** The values that the contract lists. */\n"
            f"    public static List<{name}> values() {{\n        return KNOWN;\n    }}\n\n"
            "    @Override\n    public boolean isKnown() {\n        return KNOWN.contains(this);\n    }\n}\n"
        )  # fmt: skip
        return "".join(lines)

    def _union(self, one: UnionType) -> str:
        name = type_name(one.name)
        permitted, wrapped = [], []
        reads = []
        seen: set[str] = set()
        for place, variant in enumerate(one.variants):
            kind = type_name(variant.type.name)
            make = f"new {kind}(json)"
            permits = kind
            if not self._is_object(variant):  # a union in a union, in a box, so that two may hold each other
                permits = f"Variant{place + 1}"
                make = f"new {permits}({codec(variant.type)}.read(json))"
                wrapped.append(
                    f"\n    /** Holds a {{@link {kind}}}. */\n    record {permits}({kind} value) implements {name} {{\n"
                    "        @Override\n        public Object toJson() {\n            return value.toJson();\n        }\n    }\n"
                )
                permits = f"{name}.{permits}"
            permitted.append(permits)
            condition = self._condition(one, variant, seen)
            if condition:
                reads.append(f"        if ({condition}) {{\n            return {make};\n        }}\n")
        permitted.append(f"{name}.Unknown")
        return (
            doc([in_words(one.text) or "One of several objects."])
            + f"public sealed interface {name} extends JsonValue permits {', '.join(permitted)} {{\n"
            "    /** Reads and writes it. */\n"
            f"    Codec<{name}> CODEC = Codec.model({name}::read);\n\n"
            f"    private static {name} read(Object json) {{\n{''.join(reads)}        return new Unknown(json);\n    }}\n"
            + "".join(wrapped)
            + f"\n    /** A variant that the contract does not name, as it came. */\n    record Unknown(Object toJson) implements {name} {{\n"
            f"        @Override\n        public String toString() {{\n            return {text(name + '.Unknown')};\n        }}\n    }}\n}}\n"
        )

    def _condition(self, one: UnionType, variant: Variant, seen: set[str]) -> str:
        """When JSON is this variant; "" for never. A tag that an earlier variant has is the earlier one's."""
        found = []
        if one.property:
            fresh = [value for value in variant.tags if value not in seen]
            seen.update(fresh)
            found = [f"Codec.isTag(json, {text(one.property)}, {text(value)})" for value in fresh]
        if not one.property or not self._is_object(variant):
            found += self._signs(variant.type.name, {one.name})
        return " || ".join(dict.fromkeys(found))

    def _signs(self, name: Words, seen: set[Words]) -> list[str]:
        """What tells that JSON is of this type, by its members; of a union, what tells of each of its variants."""
        if name in seen:
            return []
        kind = self._kinds[name]
        if isinstance(kind, UnionType):
            inner = [one for one in kind.variants if one.type.name not in seen]
            if kind.property:
                tags = [tag for one in inner for tag in one.tags]
                return [f"Codec.isTag(json, {text(kind.property)}, {text(tag)})" for tag in tags]
            return [sign for one in inner for sign in self._signs(one.type.name, seen | {name})]
        needed = [one.wire for one in kind.fields if one.is_required] if isinstance(kind, ObjectType) else []
        return [f"Codec.hasMembers({', '.join(['json', *(text(wire) for wire in needed)])})"]

    # -- objects ------------------------------------------------------------------------------------
    def _object(self, one: ObjectType) -> str:
        name = type_name(one.name)
        unions = self._unions.get(one.name, [])
        promise = f" implements {', '.join(dict.fromkeys(unions))}" if unions else ""
        lines = [
            doc([in_words(one.text) or "An object of the contract."]),
            f"public final class {name} extends Model{promise} {{\n",
            "    /** Reads and writes it. */\n",
            f"    public static final Codec<{name}> CODEC = Codec.model({name}::new);\n\n",
            f"    private static final Set<String> KNOWN_ = {names_call([field.wire for field in one.fields])};\n",
            f"    private static final Set<String> SENSITIVE_ = {names_call([field.wire for field in one.fields if field.is_sensitive])};\n\n",
            f"    {name}(Object json) {{\n        super(json, KNOWN_, SENSITIVE_);\n    }}\n\n",
            "    /** Builds one. */\n    public static Builder builder() {\n        return new Builder();\n    }\n\n",
            "    /** Builds another with some members changed. */\n    public Builder toBuilder() {\n        Builder made = new Builder();\n",
            "        made.members.putAll(toJson());\n        return made;\n    }\n",
        ]
        lines += [self._getter(field) for field in one.fields]
        lines.append(self._builder(one, name))
        return "".join([*lines, "}\n"])

    def _getter(self, field: Field) -> str:
        ref = field.type
        call, inner = "optional", codec(ref)
        made = f"Optional<{java_type(ref)}>"
        if ref.kind in {Kind.ARRAY, Kind.MAP}:
            call = "list" if ref.kind == Kind.ARRAY else "map"
            made, inner = java_type(ref), codec(ref.of)
        elif field.is_required and not ref.is_nullable:
            call, made = "required", primitive(ref)
        about = [in_words(field.text)]
        tags = ["@deprecated see the contract"] if field.is_deprecated else []
        mark = "    @Deprecated\n" if field.is_deprecated else ""
        return (
            f"\n{doc(about, '    ', tags)}{mark}    public {made} {member(field.name)}() {{\n"
            f"        return {call}({text(field.wire)}, {inner});\n    }}\n"
        )

    def _builder(self, one: ObjectType, name: str) -> str:
        lines = [
            "\n    /** Makes objects; a member that is not set, or set to null where null is none of its values, is left out. */\n",
            "    public static final class Builder {\n        private final Members members = new Members();\n\n        private Builder() {}\n",
        ]
        for field in one.fields:
            put = "putNullable" if field.type.is_nullable else "put"
            value = variable(field.name)
            tags = ["@deprecated see the contract"] if field.is_deprecated else []
            mark = "        @Deprecated\n" if field.is_deprecated else ""
            lines.append(
                f"\n{doc([in_words(field.text)], '        ', tags)}{mark}"
                f"        public Builder {member(field.name)}({java_type(field.type)} {value}) {{\n"
                f"            this.members.{put}({text(field.wire)}, {value}, {codec(field.type)});\n            return this;\n        }}\n"
            )
        extra = _free("set", {member(field.name) for field in one.fields})
        needed = [field.wire for field in one.fields if field.is_required and not field.is_read_only]
        listed = ", ".join(text(wire) for wire in needed) if len(needed) <= _MOST_LISTED else ""
        rest = one.others or _ANY
        lines.append(
            f"\n        /** A member by its name in JSON: one that the contract does not name. */\n"
            f"        public Builder {extra}(String wireName, {java_type(rest)} value) {{\n"
            f"            this.members.putNullable(wireName, value, {codec(rest)});\n            return this;\n        }}\n"
            "\n        /**\n         * The object.\n         *\n         * @throws IllegalStateException where a required member is missing\n         */\n"
            f"        public {name} build() {{\n            return new {name}(this.members.made({listed}));\n        }}\n    }}\n"
        )
        return "".join(lines)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
