"""The GraphQL half of the API: schema, limits before execution, and GraphQL over HTTP."""
