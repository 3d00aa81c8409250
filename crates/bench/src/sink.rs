//! The receiver of webhooks: verifies each signature and notes whose it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::clock;
use crate::error::{Error, Result};
use crate::events;
use crate::http::{Connection, Request};
use crate::ledger::Ledger;

/// What every webhook is answered.
const THANKS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// What comes before an identity's id in a body. The envelope has it before `data` has it again.
const IDENTITY_KEY: &[u8] = b"\"identityId\":\"";
/// The hex digits of an HMAC-SHA256.
const SIGNATURE_HEX_BYTES: usize = 64;

/// Signs and checks as the vendor's clients do: hex HMAC-SHA256, keyed with the whole text of the
/// secret.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
}

impl Signer {
    /// The signer of a secret such as `whsec_…`.
    pub fn new(secret: &str) -> Result<Self> {
        let keyed = Hmac::new_from_slice(secret.as_bytes());
        Ok(Self { keyed: keyed.map_err(|error| Error::Protocol(format!("the signing secret: {error}")))? })
    }

    /// The signature of a body.
    pub fn sign(&self, body: &[u8]) -> [u8; SIGNATURE_HEX_BYTES] {
        let mut mac = self.keyed.clone();
        mac.update(body);
        let mut signature = [0; SIGNATURE_HEX_BYTES];
        // The length is that of the digest, so this cannot fail.
        let _ = hex::encode_to_slice(mac.finalize().into_bytes(), &mut signature);
        signature
    }
}

/// A listening receiver. It ends when this is dropped.
pub struct Sink {
    address: SocketAddr,
    signer: Arc<Mutex<Option<Signer>>>,
    accepting: JoinHandle<()>,
}

impl Sink {
    /// Starts to receive on a free port of the loopback interface.
    pub async fn start(ledger: Ledger) -> Result<Self> {
        let (listener, address) = listen().await?;
        let signer = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&signer);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receive(stream, Arc::clone(&shared), ledger.clone()));
            }
        });
        Ok(Self { address, signer, accepting })
    }

    /// Where webhooks are to be sent.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, what this signer signs is right, and nothing else.
    pub fn trust(&self, signer: Signer) {
        *self.signer.lock().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Takes connections, reads what comes, and never answers. It ends when this is dropped.
pub struct BlackHole {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl BlackHole {
    /// Starts to swallow on a free port of the loopback interface.
    pub async fn start() -> Result<Self> {
        let (listener, address) = listen().await?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(swallow(stream));
            }
        });
        Ok(Self { address, accepting })
    }

    /// Where it swallows.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for BlackHole {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A listener on a free port of the loopback interface, and its address.
pub async fn listen() -> Result<(TcpListener, SocketAddr)> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::io("listening on 127.0.0.1"))?;
    let address = listener.local_addr().map_err(Error::io("reading a listener's address"))?;
    Ok((listener, address))
}

/// Reads until the peer gives up and closes.
async fn swallow(stream: TcpStream) {
    let mut scratch = [0; 4096];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut scratch) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Serves one connection until it closes. One that breaks in the middle shows as a webhook missing.
async fn receive(stream: TcpStream, signer: Arc<Mutex<Option<Signer>>>, ledger: Ledger) {
    let Ok(mut connection) = Connection::accepted(stream) else { return };
    let note = |request: &Request<'_, '_>| {
        let right = match &*signer.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(signer) => request.header("x-dregs-signature") == Some(&signer.sign(request.body)[..]),
            None => false,
        };
        if right {
            ledger.received(identity_of(request.body), clock::now());
        } else {
            ledger.rejected();
        }
    };
    while let Ok(Some(())) = connection.serve(note).await {
        if connection.send(THANKS).await.is_err() {
            return;
        }
    }
}

/// The identity a body is about, found without parsing all of it.
fn identity_of(body: &[u8]) -> Option<u64> {
    let start = body.windows(IDENTITY_KEY.len()).position(|window| window == IDENTITY_KEY)?;
    let id = &body[start + IDENTITY_KEY.len()..];
    events::identity_index(&id[..id.iter().position(|&byte| byte == b'"')?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Tally;

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn body(identity: u64) -> Vec<u8> {
        let mut body = b"{\"id\":\"e\",\"event\":\"IDENTITY_SCORED\",\"identityId\":\"".to_vec();
        events::push_identity(&mut body, identity);
        body.extend_from_slice(b"\",\"data\":{}}");
        body
    }

    async fn post(address: SocketAddr, body: &[u8], signature: &[u8]) {
        let mut request =
            format!("POST / HTTP/1.1\r\nContent-Length: {}\r\nX-Dregs-Signature: ", body.len()).into_bytes();
        request.extend_from_slice(signature);
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body);
        let mut connection = Connection::open(address).await.unwrap();
        assert_eq!(connection.exchange(&request).await.unwrap().status, 200);
    }

    #[test]
    fn a_signature_is_the_one_the_contract_describes() {
        // printf '{}' | openssl dgst -sha256 -hmac "$SECRET"
        let signature = Signer::new(SECRET).unwrap().sign(b"{}");
        assert_eq!(
            std::str::from_utf8(&signature).unwrap(),
            "985a3c96a281605f1d3b4c1137aa5b322d0d56867f0b183245815130d7964c97"
        );
    }

    #[tokio::test]
    async fn only_webhooks_that_verify_and_name_a_known_identity_count() {
        let ledger = Ledger::default();
        ledger.extend(2);
        let sink = Sink::start(ledger.clone()).await.unwrap();
        let signer = Signer::new(SECRET).unwrap();
        let sign = |body: &[u8]| signer.sign(body);

        post(sink.address(), &body(0), &sign(&body(0))).await;
        assert_eq!(ledger.tally(), Tally { rejected: 1, ..Tally::default() }, "no secret is known yet");

        sink.trust(signer.clone());
        post(sink.address(), &body(0), &sign(&body(0))).await;
        post(sink.address(), &body(0), &sign(&body(0))).await;
        post(sink.address(), &body(1), &sign(&body(0))).await;
        post(sink.address(), &body(2), &sign(&body(2))).await;
        post(sink.address(), b"{}", &sign(b"{}")).await;
        assert_eq!(ledger.tally(), Tally { verified: 2, identities: 1, rejected: 4 });
    }
}
