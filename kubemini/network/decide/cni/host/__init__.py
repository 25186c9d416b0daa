"""What a plugin finds on a host and changes there: namespaces with links and routes, rules, files."""
