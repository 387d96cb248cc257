"""Tables of downloads, in the control store: releases of packages, who may read them, and the tokens for it.

The files themselves lie below KAIMEN_HOME/sdk and can be made again from what stands here.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class SdkRelease(Model):
    """A version of a package in a language, never changed: one choice of operations of contracts as published, by one
    generator.
    """

    id = fields.CharField(max_length=40, primary_key=True)  # sdk_…
    package = fields.CharField(max_length=80, db_index=True)  # company, or app-0a1b2c3d
    language = fields.CharField(max_length=20)
    line = fields.CharField(max_length=80)  # company@v1 of a whole service, "" of an app's
    version = fields.CharField(max_length=40)
    digest = fields.CharField(max_length=64)  # of model, generator, language and package
    documents: fields.JSONField[Any] = fields.JSONField(default=dict)  # service key -> digest of the document
    choice: fields.JSONField[Any] = fields.JSONField(default=dict)  # operations and levels by service key
    changes: fields.JSONField[Any] = fields.JSONField(default=list)  # against the release before
    made_at = fields.DatetimeField()

    class Meta:
        table = "sdk_release"
        unique_together = (("package", "language", "version"), ("package", "digest"))


class SdkAppRelease(Model):
    """An app for which a release was made: its read tokens open it."""

    id = fields.CharField(max_length=90, primary_key=True)  # app id/release id
    app_id = fields.CharField(max_length=40, db_index=True)
    release_id = fields.CharField(max_length=40, db_index=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "sdk_app_release"


class SdkToken(Model):
    """A token with which a package manager reads an app's packages, shown once, stored as its hash."""

    id = fields.CharField(max_length=40, primary_key=True)  # skt_…
    app_id = fields.CharField(max_length=40, db_index=True)
    label = fields.CharField(max_length=100)
    hash = fields.CharField(max_length=80, unique=True)
    hint = fields.CharField(max_length=8)
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sdk_token"
