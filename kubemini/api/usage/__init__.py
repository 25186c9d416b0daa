"""What objects ask for and use up: amounts by name, what a pod comes to, what a quota counts. Pure values."""
