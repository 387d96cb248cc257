"""Tables of registered GraphQL documents, in the control store."""

from tortoise import fields
from tortoise.models import Model


class GraphqlDocument(Model):
    """A document that an app may run by its digest."""

    id = fields.CharField(max_length=110, primary_key=True)  # app id/sha256 in hexadecimal digits
    app_id = fields.CharField(max_length=40, db_index=True)
    digest = fields.CharField(max_length=64)
    label = fields.CharField(max_length=100, default="")
    text = fields.TextField()
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()

    class Meta:
        table = "graphql_document"


class GraphqlList(Model):
    """Whether an app runs its registered documents alone."""

    app_id = fields.CharField(max_length=40, primary_key=True)
    is_exclusive = fields.BooleanField(default=False)

    class Meta:
        table = "graphql_list"
