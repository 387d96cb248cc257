"""Events as a face: what departments tell is brought to apps, pushed to their endpoints or fetched by them."""
