"""Write still images and rows of them."""
