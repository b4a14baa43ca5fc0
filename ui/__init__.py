"""The web server: the search page, the REST API and the MCP tools."""
