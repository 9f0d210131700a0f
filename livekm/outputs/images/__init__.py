"""Still images and rows of them."""
