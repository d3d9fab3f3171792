//! Endpoints and wallets over real sockets on the loopback address.

mod handshake;
mod peers;
mod support;
mod wallets;
