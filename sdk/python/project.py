"""openapi-python-client at work: it reads the package's document and renders our templates.

The templates of 0.29.1 are no stable interface, so that its version is pinned exactly. What it reports, be it a mere
warning, is an error here, and so is an operation or a type that it left out.
"""

from importlib import resources
from pathlib import Path
from typing import Any

from msgspec import Struct
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.strings import ClassName, PythonIdentifier

from sdk.model import EnumType, ObjectType, SdkModel, SdkOperation
from sdk.prune import Pruned
from sdk.python.emitter import GenerationError
from sdk.python.naming import text
from sdk.python.views import MethodView, ServiceView, TypeView, Views, class_of

_FIELD = "field_"


class ResourceOut(Struct, frozen=True):
    """A module of operations."""

    name: str
    methods: tuple[MethodView, ...]


class ServiceOut(Struct, frozen=True):
    """A service with the modules of its resources and its scenarios."""

    view: ServiceView
    modules: tuple[str, ...]
    scenarios: tuple[tuple[str, list[tuple[str, str]]], ...]


class Facts:
    """What the templates ask beside the generator's own data, as `kaimen`."""

    def __init__(self, model: SdkModel, document: Pruned, name: str, version: str) -> None:
        self.name = name
        self.version = version
        self._views = Views(model)
        self._model = model
        self._types = {str(ClassName(key, _FIELD)): one for key, one in document.types.items()}
        self._ids = document.operations
        self._modules = {str(PythonIdentifier(tag, "tag")): pair for tag, pair in document.resources.items()}

    literal = staticmethod(text)

    def type_of(self, name: str) -> TypeView:
        """The type of a class that the generator named."""
        return self._views.type(self._types[str(name)])

    def unions(self) -> list[TypeView]:
        return self._views.unions()

    def events(self) -> list[tuple[str, str, str, str, str]]:
        return self._views.events()

    def scopes(self) -> str:
        return self._views.scopes()

    def resource_of(self, collection: Any) -> ResourceOut:
        """The operations that the generator read for a tag, in the model's order."""
        service, resource = self._modules[str(collection.tag)]
        read = {id(self._operation(one)) for one in collection.endpoints}
        methods = [view for one, view in self._views.resource(service, resource) if id(one) in read]
        if len(methods) != len(resource.operations):
            raise GenerationError(f"{service.key}: an operation was left out")
        return ResourceOut(class_of(service, resource), tuple(methods))

    def services(self) -> list[ServiceOut]:
        """The services of the package."""
        made = []
        for service in self._model.services:
            tags = {
                resource.name: module
                for module, (owner, resource) in self._modules.items()
                if owner is service
            }
            scenarios = tuple(self._views.scenarios(service))
            made.append(
                ServiceOut(self._views.service(service, tags), tuple(sorted(tags.values())), scenarios)
            )
        return made

    def _operation(self, endpoint: Any) -> SdkOperation:
        name = endpoint.name
        return self._ids[name if isinstance(name, str) else name.get_untrusted_value()]

    def check(self, data: GeneratorData) -> None:
        """Raises GenerationError where the generator's data lacks a type or a resource."""
        wanted = {name for name, one in self._types.items() if isinstance(one, ObjectType | EnumType)}
        found = [str(one.class_info.name) for one in (*data.models, *data.enums)]
        if set(found) != wanted or len(found) != len(wanted):
            raise GenerationError(f"types left out or added: {sorted(wanted ^ set(found))[:5]}")
        if {str(tag) for tag in data.endpoint_collections_by_tag} != set(self._modules):
            raise GenerationError("a resource was left out")


class PackageProject(Project):
    """The generator's project, in our layout: models.py, resources/, client.py, events.py."""

    def write(self) -> list[GeneratorError]:
        """Render everything; gives what the generator has to say."""
        self.package_dir.mkdir(parents=True)
        self._render("package_init.py.jinja", "__init__.py")
        self._render("model.py.jinja", "models.py")
        self._render("client.py.jinja", "client.py")
        self._render("events.py.jinja", "events.py")
        folder = self.package_dir / "resources"
        folder.mkdir()
        (folder / "__init__.py").write_text('"""Operations by resource."""\n', encoding="utf-8")
        for tag, collection in self.openapi.endpoint_collections_by_tag.items():
            self._render("endpoint_init.py.jinja", f"resources/{tag}.py", endpoint_collection=collection)
        return list(self._get_errors())

    def _render(self, template: str, path: str, **given: Any) -> None:
        rendered = self.env.get_template(template).render(**given)
        (self.package_dir / path).write_text(rendered.strip("\n") + "\n", encoding="utf-8")


def build(model: SdkModel, document: Pruned, folder: Path, *, name: str, version: str) -> None:
    """Write the generated modules of the package into the folder. Raises GenerationError."""
    config = Config.from_sources(
        ConfigFile(package_name_override=folder.name, project_name_override=name, post_hooks=[], field_prefix=_FIELD),
        MetaType.NONE, folder, "utf-8", overwrite=False, output_path=folder,
    )  # fmt: skip
    data = GeneratorData.from_dict(document.document, config=config)
    if isinstance(data, GeneratorError):
        raise GenerationError(_said([data]))
    facts = Facts(model, document, name, version)
    facts.check(data)
    with resources.as_file(resources.files("sdk.python").joinpath("templates")) as templates:
        project = PackageProject(openapi=data, config=config, custom_template_path=templates)
        project.env.globals["kaimen"] = facts
        errors = project.write()
    if errors:
        raise GenerationError(_said(errors))


def _said(errors: list[GeneratorError]) -> str:
    return "; ".join(" ".join(filter(None, (one.header, one.detail or ""))) for one in errors[:3])
