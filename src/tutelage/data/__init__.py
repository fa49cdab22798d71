"""Files of rows to records: sources, formats, the ledger of what became of every row."""
