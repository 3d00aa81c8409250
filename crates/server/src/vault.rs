//! Secrets: what is kept as a hash, what is kept encrypted, and where the key to that is.

use std::io::{ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::text_file;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The file in the data directory that the key is generated into.
pub const KEY_FILE: &str = "master.key";

/// Encrypts what must be read again, with a key that is not in the database.
pub struct Vault(XChaCha20Poly1305);

impl Vault {
    pub fn new(key: [u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }

    /// `secret`, encrypted for the `purpose` given: a nonce and then the sealed bytes.
    ///
    /// # Errors
    /// Never in practice: the cipher refuses only texts of hundreds of gigabytes.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>, String> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret, aad: purpose.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|error| error.to_string())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed for the same purpose.
    ///
    /// # Errors
    /// When the bytes were sealed with another key or for another purpose, or are damaged.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or("too short")?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| "sealed with another master key".into())
    }
}

/// The master key: from its text (base64 or hexadecimal, 32 bytes), or from a file; `None` where that is not there.
///
/// # Errors
/// One line that says which setting is wrong.
pub fn master_key(text: Option<&str>, file: &Path) -> Result<Option<[u8; KEY_BYTES]>, String> {
    if let Some(text) = text {
        let key = parse_key(text);
        return key
            .map(Some)
            .ok_or_else(|| "DREGS_MASTER_KEY must be 32 bytes in base64 or hexadecimal".into());
    }
    match text_file::read(file) {
        Ok(text) => parse_key(&text)
            .map(Some)
            .ok_or_else(|| format!("the master key file {} must hold 32 bytes in base64", file.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(file, &error)),
    }
}

/// Makes a master key, in a file that its owner alone reads.
///
/// # Errors
/// One line that says which setting is wrong.
pub fn make_master_key(file: &Path) -> Result<[u8; KEY_BYTES], String> {
    let key: [u8; KEY_BYTES] = rand::random();
    create_whole(file, &STANDARD.encode(key)).map_err(|error| unusable(file, &error))?;
    Ok(key)
}

fn unusable(file: &Path, error: &std::io::Error) -> String {
    format!("the master key file {} cannot be used: {error}", file.display())
}

/// Makes a file of one line that its owner alone reads. After a power cut it is there whole or not at all; and it is on the
/// disk before this ends, with its entry in the folder, since what it seals would be lost with it.
fn create_whole(file: &Path, line: &str) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut made = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(made, "{line}")?;
    made.as_file().sync_all()?;
    made.persist_noclobber(file).map_err(|error| error.error)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

fn parse_key(text: &str) -> Option<[u8; KEY_BYTES]> {
    let text = text.trim();
    let bytes = hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok())?;
    bytes.try_into().ok()
}

/// Of a key or token, after what it begins with.
pub const TOKEN_DIGITS: usize = 64;

/// A new key or token: `prefix` and 32 random bytes in hexadecimal.
pub fn new_token(prefix: &str) -> String {
    let bytes: [u8; TOKEN_DIGITS / 2] = rand::random();
    format!("{prefix}{}", hex::encode(bytes))
}

/// What is stored of a key or token that only has to be compared. They are long and random, so a
/// plain digest cannot be searched.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal("channel", b"whsec").expect("seals");
        assert_eq!(vault.open("channel", &sealed).as_deref(), Ok(b"whsec".as_slice()));
        assert!(vault.open("slack", &sealed).is_err());
        assert!(Vault::new([8; 32]).open("channel", &sealed).is_err());
        assert!(vault.open("channel", &sealed[..20]).is_err());
    }

    #[test]
    fn generates_a_private_key_file_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(KEY_FILE);
        assert_eq!(master_key(None, &file), Ok(None));
        let first = make_master_key(&file).expect("generated");
        let found = std::fs::read_dir(folder.path()).expect("there").count();
        assert_eq!(found, 1, "nothing else is left");
        assert!(create_whole(&file, "another").is_err(), "what is there stays");
        assert_eq!(master_key(None, &file), Ok(Some(first)));
        assert_eq!(master_key(Some(&hex::encode(first)), Path::new("/nowhere")), Ok(Some(first)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&file, "short").expect("written");
        assert!(master_key(None, &file).is_err_and(|line| line.contains("32 bytes")));
    }
}
