"""JSON Schemas seen flat, as the emitters ask for them: what api.contract.flatten makes."""

from api.contract.flatten import CHOICES, Memo, combine, flatten, reference_name

__all__ = ["CHOICES", "Memo", "combine", "flatten", "reference_name"]
