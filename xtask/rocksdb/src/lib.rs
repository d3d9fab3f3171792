//! Nothing: the dependency is the product.
