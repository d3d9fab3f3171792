//! How each kind of input is handled, and what follows from it: one file a concern.

mod certificate;
mod create;
mod event;
mod gossip;
mod restore;
mod settle;
mod submit;
mod wallet;
