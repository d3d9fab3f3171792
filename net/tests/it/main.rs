//! Endpoints and wallets over real sockets on the loopback address.

#[cfg(test)]
mod handshake;
#[cfg(test)]
mod links;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wallets;
