//! Shared HTTP client, deadlines and error classes for providers that speak HTTP.
