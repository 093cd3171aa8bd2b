//! Egg files in and out, and the eggs that ship with the product.
