//! `primus init`: a developer's chain of one peer, or a home for a peer of a larger one.

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use super::{Init, Printer};
use crate::config::Switch;
use crate::error::{Error, Exit};
use crate::home;
use crate::peers::Peers;
use crate::store::Kind;

#[derive(Serialize)]
struct InitResult {
    home: String,
    chain: String,
    peer: String,
    faucet_key: String,
    faucet_file: String,
}

pub(super) fn init(home: &Path, init: &Init, printer: &mut Printer<'_>) -> Result<Exit, Error> {
    let flags = &init.flags;
    let address = |value: &Option<String>, key: &'static str, default: ([u8; 4], u16)| {
        let Some(text) = value else {
            return Ok(SocketAddr::from(default));
        };
        text.parse().map_err(|_| Error::InvalidValue {
            origin: format!("--{key}"),
            key: key.to_owned(),
            found: text.clone(),
            wanted: "an address and port",
        })
    };
    let listen = address(&flags.listen, "listen", ([127, 0, 0, 1], 4700))?;
    let http = address(&flags.http, "http", ([127, 0, 0, 1], 4780))?;
    let store = match &flags.store {
        None => Kind::compiled_in().first().copied().unwrap_or(Kind::Memory),
        Some(text) => text.parse().map_err(|()| Error::InvalidValue {
            origin: "--store".to_owned(),
            key: "store".to_owned(),
            found: text.clone(),
            wanted: "rocksdb, redb or memory",
        })?,
    };
    if !init.dev {
        return init_peer(home, init, (listen, http), store, printer);
    }
    let dev = home::create_dev(home, (listen, http), store)?;
    let chain = dev.genesis.chain_id().map_err(|error| Error::Damaged {
        what: "genesis",
        reason: error.to_string(),
    })?;
    let peer = dev.genesis.peers.first().map(|peer| peer.peer_key);
    let result = InitResult {
        home: home.display().to_string(),
        chain: chain.to_string(),
        peer: peer.unwrap_or_default().to_string(),
        faucet_key: dev.faucet_key.to_string(),
        faucet_file: dev.faucet.display().to_string(),
    };
    let text = format!(
        "made {}\nchain  {}\npeer   {}\nfaucet {}\n\nstart it: primus run --home {}\n",
        result.home, result.chain, result.peer, result.faucet_file, result.home
    );
    printer.print(&result, &text)?;
    Ok(Exit::Done)
}

/// What an operator hands to whoever writes the genesis.
#[derive(Debug, Serialize)]
struct NewPeer {
    home: String,
    peer_key: String,
    event_key: String,
    transport_key: String,
    payout_key: String,
}

fn init_peer(
    home: &Path,
    init: &Init,
    (listen, http): (SocketAddr, SocketAddr),
    store: Kind,
    printer: &mut Printer<'_>,
) -> Result<Exit, Error> {
    let genesis = init
        .genesis
        .as_deref()
        .map(home::read_genesis)
        .transpose()?;
    let peers = init
        .peers
        .as_deref()
        .map(Peers::read)
        .transpose()?
        .unwrap_or_default();
    let secrets = home::Secrets::generate()?;
    home::create(&home::Plan {
        home,
        listen,
        http,
        store,
        genesis: genesis.as_ref(),
        peers: &peers,
        secrets: &secrets,
        link_faults: Switch::Off,
    })?;
    let made = NewPeer {
        home: home.display().to_string(),
        peer_key: secrets.peer.public().to_string(),
        event_key: secrets.event.public().to_string(),
        transport_key: secrets.transport.public().to_string(),
        payout_key: secrets.payout.public().to_string(),
    };
    let text = format!(
        "made {}\npeer      {}\nevent     {}\ntransport {}\npayout    {}\n\n\
         give these keys to whoever writes the genesis; put genesis.bin and peers.toml into the \
         home, then: primus run --home {}\n",
        made.home, made.peer_key, made.event_key, made.transport_key, made.payout_key, made.home
    );
    printer.print(&made, &text)?;
    Ok(Exit::Done)
}
