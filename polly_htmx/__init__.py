"""LLM chat for Django: server-rendered, streamed over a WebSocket, any model."""
