"""Taking in leads from a CSV export: read, check every row, compare with what is known, write in one transaction.

`service.imports.run.run_import` is the way in. A mapping (`service.imports.mapping`) says what the columns mean.
"""
