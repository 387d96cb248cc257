"""Table of what agents may do through an app, in the control store."""

from tortoise import fields
from tortoise.models import Model


class McpSetting(Model):
    """An app without a row lets agents read only."""

    app_id = fields.CharField(max_length=40, primary_key=True)
    writes = fields.CharField(max_length=8, default="off")  # off, confirm or free

    class Meta:
        table = "mcp_setting"
