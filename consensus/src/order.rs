//! The order of a block's events: what the majority of stake knew first comes first (C21, C22).
