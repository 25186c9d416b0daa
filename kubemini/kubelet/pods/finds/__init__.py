"""What the containers of a pod find when they start: settings and volumes."""
