//! Shipped networks by what their addresses begin with: an address is looked up once for each length of prefix, and
//! not in every one of them.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use super::Network;

/// In which place of the list, and whose it is.
type Owner = (usize, &'static str);

#[derive(Default)]
pub(super) struct Networks {
    blocks: HashMap<IpNet, Owner>,
    /// Of the prefixes of IPv4 and of IPv6.
    lengths: [BTreeSet<u8>; 2],
    systems: HashMap<u32, Owner>,
}

impl Networks {
    pub fn new(list: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let mut networks = Self::default();
        for (place, (network, owner)) in list.enumerate() {
            match Network::parse(network) {
                Some(Network::Block(block)) => {
                    networks.lengths[usize::from(block.addr().is_ipv6())].insert(block.prefix_len());
                    networks.blocks.entry(block).or_insert((place, owner));
                }
                Some(Network::System(number)) => {
                    networks.systems.entry(number).or_insert((place, owner));
                }
                None => {}
            }
        }
        networks
    }

    /// Whose the first of the list is that an address, or its autonomous system, is in.
    pub fn owner(&self, ip: IpAddr, asn: Option<u32>) -> Option<&'static str> {
        let block = |length: &u8| self.blocks.get(&IpNet::new(ip, *length).ok()?.trunc());
        let blocks = self.lengths[usize::from(ip.is_ipv6())].iter().filter_map(block);
        let system = asn.and_then(|number| self.systems.get(&number));
        blocks.chain(system).min().map(|(_, owner)| *owner)
    }
}
