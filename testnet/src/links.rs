//! Links between real peers, damaged over the nodes' admin sockets.
//!
//! Each node damages what it sends itself, so that a link from one peer to another is set at the
//! first of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use net::Link;
use node::http::admin::Links;
use node::http::client;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::network::Network;

/// The links of one node.
const LINKS: &str = "/v1/links";

/// What is done to links, by the number of the peer that sends and of the one that receives.
pub type Damage = BTreeMap<(usize, usize), Link>;

/// What is done to the links of the peers at `indexes`, which run, as they have it.
///
/// # Errors
/// [`Error::Node`] when one does not answer, or was started without `link_faults`.
pub async fn read(
    cluster: &Cluster,
    network: &Network,
    indexes: &[usize],
) -> Result<Damage, Error> {
    let asked = indexes.iter().map(|index| {
        let home = cluster.peer(*index)?.home.clone();
        let ask = move || client::controls::<Links>(&home, LINKS);
        Ok((*index, tokio::task::spawn_blocking(ask)))
    });
    let asked: Vec<_> = asked.collect::<Result<_, Error>>()?;
    let numbers: BTreeMap<String, usize> = (0..)
        .zip(&network.hosts)
        .map(|(number, host)| Ok((network.peer_key(host.name.clone())?.to_string(), number)))
        .collect::<Result<_, Error>>()?;
    let mut damage = Damage::new();
    for (from, answer) in asked {
        let views = answer.await.map_err(|_| Error::Interrupted)??;
        let known = views.into_iter();
        damage.extend(known.filter_map(|(key, view)| Some(((from, *numbers.get(&key)?), view))));
    }
    Ok(damage)
}

/// Does to the links of the peers at `indexes`, which run, what `damage` says, and heals those that
/// it does not name.
///
/// # Errors
/// As [`read`]; the first failure, after all have been tried.
pub async fn write(
    cluster: &Cluster,
    network: &Network,
    indexes: &[usize],
    damage: &Damage,
) -> Result<(), Error> {
    let tasks = indexes.iter().map(|index| {
        let home: PathBuf = cluster.peer(*index)?.home.clone();
        let own = damage.iter().filter(|((from, _), _)| from == index);
        let views: Links = own
            .map(|((_, to), view)| {
                let name = cluster.peer(*to)?.name.clone();
                Ok((network.peer_key(name)?.to_string(), *view))
            })
            .collect::<Result<_, Error>>()?;
        let put = move || client::put::<Links>(&home, LINKS, &views);
        Ok(tokio::task::spawn_blocking(put))
    });
    let tasks: Vec<_> = tasks.collect::<Result<_, Error>>()?;
    let mut all = Ok(());
    for task in tasks {
        let put = task.await.map_err(|_| Error::Interrupted)?;
        all = all.and(put.map(|_| ()).map_err(Error::from));
    }
    all
}
