"""Every sentence the service says: notes, documents, mail, reports and pages. Data alone; no code beside this line."""
