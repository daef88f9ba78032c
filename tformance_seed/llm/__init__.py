"""Ask a language model for summaries of pull requests, over the chat API that OpenAI's server has."""
