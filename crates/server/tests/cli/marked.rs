//! Files as editors on Windows save them: with a byte order mark, or as no UTF-8.

use serde_json::json;

use super::{Ground, Webhook};
use crate::support::tls::Authority;

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn marked(text: &str) -> String {
    format!("\u{feff}{text}")
}

#[test]
fn a_byte_order_mark_before_a_file_says_nothing() {
    let ground = Ground::new();
    let authority = std::fs::read_to_string(Authority::new("own").file.path()).unwrap();
    ground.write("dregs.toml", marked("agent_keys_file = \"keys.json\"\nmaster_key_file = \"key\"\n"));
    ground.write("keys.json", marked(&json!({"https://signer.example": {"keys": []}}).to_string()));
    ground.write("key", marked(KEY));
    ground.write("authority.pem", marked(&authority));
    let mut server = ground
        .start(&[&SERVE[..], &["--egress-ca-file", "authority.pem"]].concat(), &[("DREGS_LOG", "error")]);
    server.line_with(" listens on http://");
    assert_eq!(server.stop_with("TERM"), (Some(0), String::new()));
    // The same key, as `$(cat key)` leaves it in the environment; a mail server's authority is read apart.
    let (key, mail) = (marked(KEY), "smtp://mail.example.com");
    let variables = [("DREGS_LOG", "error"), ("DREGS_MASTER_KEY", &key), ("DREGS_SMTP_URL", mail)];
    let mut server = ground.start(&[&SERVE[..], &["--egress-ca-file", "authority.pem"]].concat(), &variables);
    server.line_with(" listens on http://");
    assert_eq!(server.stop_with("TERM"), (Some(0), String::new()));

    ground.write("innocent", marked("ada\n"));
    let done = ground.run(&["backtest", "--innocent", "innocent"], &[]);
    assert!(done.stderr.ends_with("such as \"ada\"\n"), "{}", done.stderr);
    let webhook = Webhook::now();
    let headers: String = webhook.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    ground.write("headers", marked(&headers));
    ground.write("body", &webhook.body);
    let verify = ["verify", "--secret", webhook.secret.as_text(), "--headers", "headers", "--body", "body"];
    let done = ground.run(&verify, &[]);
    assert!(done.stdout.contains("✓ headers            both signature families"), "{}", done.stdout);
}

#[test]
fn a_file_that_is_no_utf_8_is_said_to_be_what_it_is() {
    let ground = Ground::new();
    let wide: Vec<u8> = marked("log = \"info\"\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (text, said) in [(wide, "it is UTF-16 text: save it as UTF-8"), (vec![0xe4], "it is not UTF-8 text")]
    {
        ground.write("wrong", text);
        for flag in ["--config", "--master-key-file", "--egress-ca-file"] {
            let done = ground.run(&[&SERVE[..], &[flag, "wrong"]].concat(), &[]);
            assert_eq!((done.code, done.stderr.lines().count()), (Some(2), 1), "{flag}: {}", done.stderr);
            assert!(done.stderr.contains(said), "{flag}: {}", done.stderr);
        }
    }
}
