"""Sample pictures of products and their job, for a station without a camera."""
