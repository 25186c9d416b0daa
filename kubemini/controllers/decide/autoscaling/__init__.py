"""The controller of HorizontalPodAutoscalers: as many pods as the load asks for. Pure."""
