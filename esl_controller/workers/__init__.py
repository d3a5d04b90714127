"""A worker among others: the register, the port they share, signs of life and who looks at them."""
