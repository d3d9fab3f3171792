use super::*;
use primitives::digest::derive;
use primitives::domain::{Domain, Kind, Tree};

#[test]
fn the_node_key_is_derived_from_its_tag() {
    let key = derive(Domain::Tree(Tree::Tx, Kind::Node), &[]);
    assert_eq!(NODE_KEY, key, "{:?}", key.0);
}
