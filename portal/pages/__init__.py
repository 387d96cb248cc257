"""The pages, a file per task of a person. Each exports `router`; `page` draws one for the caller of the request."""
