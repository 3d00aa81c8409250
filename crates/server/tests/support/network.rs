//! A network of the tests' own: each node in a namespace, behind a cable that can be pulled.

use std::net::Ipv4Addr;
use std::process::Command;

/// Nodes at a bridge of this machine, which is their way to everything; gone when this is dropped.
pub struct Network {
    /// What the names of all its parts begin with.
    name: String,
    subnet: [u8; 2],
    nodes: u8,
}

impl Network {
    /// For so many nodes. `None` where this machine lets nobody make one, as in many containers.
    pub fn create(nodes: u8) -> Option<Self> {
        let [low, high] = rand::random();
        // Of a private range that machines are seldom in.
        let network = Self { name: format!("dt{low:02x}{high:02x}"), subnet: [64 + low % 128, high], nodes };
        let (bridge, gateway) = (network.bridge(), network.gateway());
        if !ip(&format!("link add {bridge} type bridge")) {
            return None;
        }
        let mut steps = vec![format!("addr add {gateway}/24 dev {bridge}"), format!("link set {bridge} up")];
        for node in 0..nodes {
            let (namespace, cable, address) =
                (network.namespace(node), network.cable(node), network.address(node));
            steps.extend([
                format!("netns add {namespace}"),
                format!("link add {cable} type veth peer name eth0 netns {namespace}"),
                format!("link set {cable} master {bridge} up"),
                format!("-n {namespace} addr add {address}/24 dev eth0"),
                format!("-n {namespace} link set eth0 up"),
                format!("-n {namespace} link set lo up"),
            ]);
        }
        steps.iter().all(|step| ip(step)).then_some(network)
    }

    /// This machine, as its nodes see it.
    pub fn gateway(&self) -> Ipv4Addr {
        self.at(1)
    }

    pub fn address(&self, node: u8) -> Ipv4Addr {
        self.at(2 + node)
    }

    /// Where a node's process runs.
    pub fn namespace(&self, node: u8) -> String {
        format!("{}n{node}", self.name)
    }

    /// Pulls a node's cable: nothing comes through, and nobody is told.
    pub fn pull(&self, node: u8) {
        assert!(ip(&format!("link set {} down", self.cable(node))));
    }

    /// Puts it in again.
    pub fn plug(&self, node: u8) {
        assert!(ip(&format!("link set {} up", self.cable(node))));
    }

    fn at(&self, host: u8) -> Ipv4Addr {
        let [second, third] = self.subnet;
        Ipv4Addr::new(10, second, third, host)
    }

    fn bridge(&self) -> String {
        format!("{}b", self.name)
    }

    fn cable(&self, node: u8) -> String {
        format!("{}c{node}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What was not made is not there to be removed.
        for node in 0..self.nodes {
            ip(&format!("link del {}", self.cable(node)));
            ip(&format!("netns del {}", self.namespace(node)));
        }
        ip(&format!("link del {}", self.bridge()));
    }
}

fn ip(step: &str) -> bool {
    Command::new("ip").args(step.split(' ')).output().is_ok_and(|output| output.status.success())
}
