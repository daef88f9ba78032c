"""A GitHub of our own on loopback: a GraphQL server with the part of GitHub's schema that is asked for."""
