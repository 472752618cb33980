select version, body::text from treasury.rules where version = any($1)
