//! How each kind of input is handled, and what follows from it: one file a concern.

mod brief;
mod certificate;
mod create;
mod epoch;
mod event;
mod evidence;
mod gossip;
mod outlook;
mod restore;
mod seal;
mod settle;
mod stray;
mod submit;
mod wallet;
