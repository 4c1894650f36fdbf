"""Pictures of products that show the station without a camera, and their job."""
